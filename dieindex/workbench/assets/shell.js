// What every page has: who answers, dark or light, help, undo, what happens meanwhile.
import { counted, element, get, keep, kept, person, post } from "./ask.js";

const $ = (id) => document.getElementById(id);

export function toast(text, kind = "") {
  const made = element("p", { className: `toast ${kind}` }, text);
  $("toasts").append(made);
  setTimeout(() => made.remove(), kind === "wrong" ? 9000 : 4000);
}

export function wrong(error) {
  toast(error.message, "wrong");
}

// --- who answers

function showPerson() {
  $("person").textContent = person() || "Who answers?";
}

export function askPerson() {
  return new Promise((resolve) => {
    const dialog = $("who");
    $("who-name").value = person();
    dialog.addEventListener("close", () => {
      const name = $("who-name").value.trim();
      if (name) keep("person", name);
      showPerson();
      refresh();
      resolve(person());
    }, { once: true });
    dialog.showModal();
  });
}

export async function known() {
  return person() || askPerson();
}

// --- undo

function showTurns(undo, redo) {
  $("undo").disabled = !undo;
  $("redo").disabled = !redo;
}

async function turn(which) {
  try {
    const found = await post(which);
    showTurns(found.undo, found.redo);
    if (!found.kept.length) { toast(which === "undo" ? "There is nothing to take back." : "There is nothing to do again."); return; }
    const [first] = found.kept;
    const many = found.kept.length > 1 ? ` and ${counted(found.kept.length - 1, "more verdict")}` : "";
    toast(`${which === "undo" ? "Taken back" : "Done again"}: ${first.coin_a} and ${first.coin_b}${many}.`);
    document.dispatchEvent(new CustomEvent("di:turned", { detail: { which, kept: found.kept } }));
  } catch (error) { wrong(error); }
}

export async function refresh() {
  try {
    const state = await get("state", { by: person() });
    if (state.open) showTurns(state.undo, state.redo);
    document.dispatchEvent(new CustomEvent("di:state", { detail: state }));
    showWork(state);
    return state;
  } catch (error) { return null; }
}

function showWork(state) {
  if (!state.open) return;
  const waiting = ["obverse", "reverse"].filter((side) => state.sides[side] === null);
  if (!waiting.length) { $("work").hidden = true; return; }
  if ($("work").hidden) { $("work").textContent = `sorting ${waiting.join(" and ")}s …`; $("work").hidden = false; }
}

// --- what happens meanwhile

const steps = {
  "local features": "looking at", "seeking pairs": "seeking", "sifting pairs": "sifting pairs of", "aligning pairs": "aligning pairs of",
};

function progressText({ side, step, done, total }) {
  const what = Object.entries(steps).find(([name]) => step.includes(name));
  return `${what ? what[1] : "comparing"} ${side}s: ${done} of ${total}`;
}

const RETRY = 3000;

function listen(again = false) {
  const source = new EventSource("/events");
  const pass = (name) => source.addEventListener(name, (event) => {
    document.dispatchEvent(new CustomEvent(`di:${name}`, { detail: JSON.parse(event.data) }));
  });
  for (const name of ["dies", "verdicts", "progress", "failed", "build", "opened"]) pass(name);
  let away = again;
  source.addEventListener("error", () => {
    away = true;
    $("lost").hidden = false;
    // (Refused: the workbench was started again, and its new address not opened yet.)
    if (source.readyState === EventSource.CLOSED) { source.close(); setTimeout(() => listen(true), RETRY); }
  });
  source.addEventListener("open", () => {
    $("lost").hidden = true;
    if (away) { away = false; refresh(); document.dispatchEvent(new CustomEvent("di:back")); }
  });
  addEventListener("pagehide", () => source.close());
}

document.addEventListener("di:progress", ({ detail }) => {
  $("work").textContent = progressText(detail);
  $("work").hidden = detail.done >= detail.total;
});
document.addEventListener("di:dies", ({ detail }) => { $("work").hidden = true; showChanges(detail); });
document.addEventListener("di:failed", ({ detail }) => { $("work").hidden = true; toast(`The ${detail.side}s cannot be sorted: ${detail.error}`, "wrong"); });
document.addEventListener("di:busy", ({ detail }) => {
  if ($("empty")) { $("empty").textContent = detail; $("empty").hidden = false; }
});
document.addEventListener("di:lost", () => { $("lost").hidden = false; });
document.addEventListener("di:verdicts", ({ detail }) => {
  for (const review of detail.reviews) {
    if (review.by !== person()) toast(`${review.by}: ${review.coin_a} and ${review.coin_b} ${review.verdict === "unsure" ? "cannot tell" : review.verdict}.`);
  }
  refresh();
});

function showChanges(detail) {
  const line = $("changed");
  if (!line) return;
  line.textContent = detail.changes.length ? `Changed: ${detail.changes.join("; ")}.` : "";
  line.dataset.revision = detail.revision;
  line.dataset.side = detail.side;
}

// --- keys

const typing = (target) => target.closest("input, textarea, select, [contenteditable]") && !target.matches("input[type=checkbox], input[type=range]");

// `handlers` by key; a letter is its key, whatever the case.
export function onKeys(handlers) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key !== "Escape" && typing(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const handler = handlers[key];
    if (!handler) return;
    if (handler(event) !== false) event.preventDefault();
  });
}

onKeys({
  "?": () => $("keys").showModal(),
  z: (event) => { turn(event.shiftKey ? "redo" : "undo"); },
});
$("help").addEventListener("click", () => $("keys").showModal());
$("undo").addEventListener("click", () => turn("undo"));
$("redo").addEventListener("click", () => turn("redo"));
$("person").addEventListener("click", askPerson);
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  keep("theme", root.dataset.theme);
});
showPerson();
listen();

// --- sides

export function sides(onChange) {
  const buttons = [...document.querySelectorAll(".tabs [data-side]")];
  let side = new URLSearchParams(location.search).get("side") ?? kept("side", "obverse");
  const show = () => buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.side === side)));
  const choose = (next) => {
    side = next;
    keep("side", side);
    show();
    onChange(side);
  };
  buttons.forEach((each) => each.addEventListener("click", () => choose(each.dataset.side)));
  show();
  return { get side() { return side; }, choose };
}

export function showCounts(state, what) {
  for (const button of document.querySelectorAll(".tabs [data-side]")) {
    const side = state.sides?.[button.dataset.side];
    button.querySelector(".count").textContent = side && side[what] !== undefined ? side[what] : "";
  }
}
