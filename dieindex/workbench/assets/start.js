// Choose a folder, see what was recognised, correct it, build.
import { counted, element, get, post } from "./ask.js";
import { refresh, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const ROLES = [["", "–"], ["coin", "coin"], ["obverse", "obverse die"], ["reverse", "reverse die"], ["die", "die"], ["file", "file"], ["side", "side"], ["count", "count"]];
const STEPS = { cropping: "Cutting the coins out", aligning: "Aligning them", encoding: "Looking at each", refining: "Aligning them more exactly", describing: "Describing each" };
let seen = null;
let said = {};
let opened = null;

async function known() {
  try {
    const found = await get("known");
    const others = found.indexes.filter((path) => path !== opened);
    $("opens").hidden = !others.length && !opened;
    const here = opened ? [element("li", {}, element("a", { className: "button main", href: "/desk" }, "Go on looking"), element("span", { className: "small" }, ` ${opened}`))] : [];
    $("indexes").replaceChildren(...here, ...others.map((path) => {
      const made = element("button", { type: "button" }, path);
      made.addEventListener("click", () => open(path));
      return element("li", {}, made);
    }));
    if (found.data) { $("data").value = found.data; look(); }
    else if (!$("data").value) $("data").placeholder = `${found.current}/photographs`;
  } catch (error) { wrong(error); }
}

async function open(path) {
  try {
    await post("open", { index: path });
    location.assign("/desk");
  } catch (error) { tell(error.message); }
}

function tell(text) {
  $("wrong").textContent = text;
  $("wrong").hidden = !text;
}

// --- the folder

async function browse(path) {
  try {
    const found = await get("folders", { path });
    $("browser").hidden = false;
    $("place").textContent = found.path;
    $("data").value = found.path;
    const entries = found.folders.map((name) => [name, `${found.path === "/" ? "" : found.path}/${name}`]);
    if (found.parent) entries.unshift(["..", found.parent]);
    $("folders").replaceChildren(...entries.map(([name, place]) => {
      const made = element("button", { type: "button" }, name === ".." ? "↑ up" : name);
      made.addEventListener("click", () => browse(place));
      return element("li", {}, made);
    }), found.more ? element("li", { className: "small" }, `and ${found.more} more`) : "");
  } catch (error) { tell(error.message); }
}

$("browse").addEventListener("click", () => browse($("data").value.trim() || null));
$("choose").addEventListener("submit", (event) => { event.preventDefault(); said = {}; look(); });

// --- what was recognised

async function look() {
  tell("");
  $("browser").hidden = true;
  try {
    seen = await post("recognise", { data: $("data").value, ...said });
  } catch (error) { $("recognised").hidden = true; tell(error.message); return; }
  $("recognised").hidden = false;
  const pictures = Object.values(seen.pictures).reduce((a, b) => a + b, 0);
  const examples = seen.examples.slice(0, 3).map(([file, coin]) => `${file} is coin ${coin}`).join("; ");
  $("what").textContent = `${counted(pictures, "picture")} of ${counted(seen.coins, "coin")}${shows(seen.pictures)}. ${examples}.`;
  // (What no name and no sheet says, a person may.)
  $("sides").hidden = !said.side && !seen.pictures["to be seen"];
  $("side").value = said.side ?? "";
  showSheet();
  $("doubts").replaceChildren(...seen.doubts.map((each) => element("li", {}, each)));
  $("index").value = said.index ?? seen.index;
  $("build").textContent = seen.built ? "Bring the index up to date" : "Build";
}

function shows(pictures) {
  const kinds = Object.entries(pictures);
  if (kinds.length === 1 && kinds[0][0] === "to be seen") return "; whether a picture shows one side or both is told by looking at it";
  return `: ${kinds.map(([what, count]) => `${count} ${what === "to be seen" ? "of which it is told by looking what they show" : `with the ${what}`}`).join(", ")}`;
}

function showSheet() {
  const tables = [...new Set([...seen.tables, ...(seen.sheet ? [seen.sheet] : [])])];
  $("labels").replaceChildren(element("option", { value: "" }, "none"), ...tables.map((path) => element("option", { value: path }, path.split("/").pop())));
  $("labels").value = said.no_labels ? "" : seen.sheet ?? "";
  $("sheet").hidden = !tables.length;
  $("line").textContent = seen.problem ?? seen.reading?.line ?? (tables.length ? "No sheet is used: the coins have no known dies." : "");
  $("line").classList.toggle("wrong", Boolean(seen.problem));
  const pages = Object.keys(seen.sheets);
  $("pages").hidden = pages.length < 2;
  $("page").replaceChildren(...pages.map((name) => element("option", { value: name }, name)));
  const page = said.sheet ?? seen.reading?.sheet ?? pages[0] ?? "";
  $("page").value = page;
  const rows = seen.sheets[page] ?? seen.sheets[pages[0]] ?? [];
  const width = Math.min(24, Math.max(0, ...rows.map((row) => row.length)));
  const roles = rolesOf(rows, width);
  const head = element("tr", {}, ...Array.from({ length: width }, (_, column) => {
    const choice = element("select", { ariaLabel: `What column ${column + 1} holds` }, ...ROLES.map(([value, text]) => element("option", { value }, text)));
    choice.value = roles[column] ?? "";
    choice.addEventListener("change", () => assign([...head.querySelectorAll("select")].map((each) => each.value)));
    return element("th", {}, choice);
  }));
  $("glance").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows.slice(0, 8).map((row) => element("tr", { className: isNames(row) ? "names" : "" }, ...Array.from({ length: width }, (_, column) => element("td", {}, row[column] ?? ""))))));
}

// Whether a row gives the columns' names.
function isNames(row) {
  const names = Object.values(seen.reading?.columns ?? {});
  return seen.reading?.header !== false && names.length > 0 && names.every((name) => row.includes(name));
}

// The role of each column: as said, else as it was read.
function rolesOf(rows, width) {
  if (said.roles) return said.roles;
  const roles = {};
  for (const [role, name] of Object.entries(seen.reading?.columns ?? {})) {
    const short = ROLES.find(([value, text]) => text === role || value === role)?.[0];
    if (!short) continue;
    for (let column = 0; column < width; column++) {
      const header = rows.some((row) => (row[column] ?? "") === name);
      if ((header || name === String(column + 1)) && !roles[column]) { roles[column] = short; break; }
    }
  }
  return roles;
}

function assign(roles) {
  said.roles = roles;
  const given = roles.map((role, column) => (role ? `${role}=${column + 1}` : null)).filter(Boolean);
  said.columns = given.join(",");
  look();
}

$("side").addEventListener("change", () => { said = { ...said, side: $("side").value || undefined }; look(); });
$("labels").addEventListener("change", () => {
  const { side } = said;
  said = { side, ...($("labels").value ? { labels: $("labels").value } : { no_labels: true }) };
  look();
});
$("page").addEventListener("change", () => { said = { ...said, sheet: $("page").value, roles: undefined, columns: undefined }; look(); });

// --- building

$("build").addEventListener("click", async () => {
  const { roles, ...options } = said;
  try {
    showBuild(await post("build", { ...options, data: $("data").value, index: $("index").value === seen.index ? null : $("index").value }));
    $("building").scrollIntoView({ block: "end" });
  } catch (error) { wrong(error); }
});
$("on").addEventListener("click", async () => {
  try { showBuild(await post("build", { again: true })); } catch (error) { wrong(error); }
});
$("stop").addEventListener("click", () => post("stop").catch(wrong));

function showBuild(build) {
  $("building").hidden = false;
  const ended = build.finished;
  const stopped = ended && build.stopping;
  $("step").textContent = build.error ?? (ended ? "" : build.stopping ? "Stopping; what is at work is finished first …" : build.step ? `${STEPS[build.step] ?? build.step}: ${build.done} of ${build.total}` : `Reading ${build.data} …`);
  $("step").classList.toggle("wrong", Boolean(build.error) && !stopped);
  $("progress").hidden = ended && !stopped;
  $("progress").max = build.total || 1;
  $("progress").value = build.done;
  $("stop").hidden = ended;
  $("stop").disabled = build.stopping;
  $("on").hidden = !stopped;
  $("build").disabled = !ended;
  $("outcome").replaceChildren();
  if (!build.report) return;
  const { report } = build;
  $("step").textContent = `${counted(report.coins, "coin")}: ${counted(report.faces.obverse, "obverse")} and ${counted(report.faces.reverse, "reverse")} (${Math.round(report.seconds)} s).`;
  const told = [...report.warnings, ...report.skipped.map((each) => `Not used: ${each.file}: ${each.reason}`)];
  if (report.unsure) told.push(`${counted(report.unsure, "face")} not found for sure.`);
  $("outcome").append(element("p", {}, element("a", { className: "button main", href: "/desk" }, "Begin to look"), " ", report.unsure || report.skipped.length ? element("a", { className: "button", href: "/faces" }, "Look at the faces in doubt") : ""),
    element("ul", { className: "doubts" }, ...told.map((each) => element("li", {}, each))));
}

document.addEventListener("di:build", ({ detail }) => showBuild(detail));
refresh().then((state) => {
  if (state?.open) opened = state.index;
  if (state?.build) showBuild(state.build);
  known();
});
