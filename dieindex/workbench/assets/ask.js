// Asking the server, and what is kept in this browser.

export function kept(name, otherwise = null) {
  try { return localStorage.getItem(name) ?? otherwise; } catch { return otherwise; }
}

export function keep(name, value) {
  try { localStorage.setItem(name, value); } catch { /* (private windows) */ }
}

export const person = () => kept("person", "");

async function answer(response) {
  let document = null;
  try { document = await response.json(); } catch { /* (a refusal is text) */ }
  if (response.ok) return document;
  const error = new Error(document?.error ?? `The workbench refused (${response.status}).`);
  error.status = response.status;
  throw error;
}

async function asked(address, options) {
  try {
    return await answer(await fetch(address, { credentials: "same-origin", ...options }));
  } catch (error) {
    if (error.status === undefined) {
      document.dispatchEvent(new CustomEvent("di:lost"));
      throw new Error("The workbench does not answer.");
    }
    throw error;
  }
}

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });

// What is asked before the dies are found is answered when they are.
async function patiently(address) {
  for (;;) {
    try {
      return await asked(address);
    } catch (error) {
      if (error.status !== 503) throw error;
      document.dispatchEvent(new CustomEvent("di:busy", { detail: error.message }));
      await pause(1);
    }
  }
}

export function get(name, values = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== null && value !== undefined && value !== "") query.set(key, value);
  return patiently(`/api/${name}${query.size ? `?${query}` : ""}`);
}

// A file, to what takes one.
export function send(name, file) {
  return asked(`/api/${name}?${new URLSearchParams({ name: file.name })}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
}

export function post(name, body = {}) {
  return asked(`/api/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ by: person(), ...body }),
  });
}

// A link to a page.
export function to(page, values) {
  return `/${page}?${new URLSearchParams(values)}`;
}

export const values = () => Object.fromEntries(new URLSearchParams(location.search));

// An element: its properties, data and children; text is always text.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === "data") Object.assign(made.dataset, value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}

export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export const small = (face) => `/picture/small/${face}`;
export const large = (face) => `/picture/large/${face}`;
