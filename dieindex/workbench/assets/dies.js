// The board of all dies of a side.
import { counted, element, get, kept, keep, post, small, to } from "./ask.js";
import { known, onKeys, refresh, showCounts, sides, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const ORDERS = {
  number: () => 0,
  size: (a, b) => b.coins - a.coins,
  doubt: (a, b) => a.least - b.least,
  open: (a, b) => Number(a.held) - Number(b.held) || b.coins - a.coins,
};
let listed = [];
const choice = sides(() => reload());

async function reload() {
  try {
    const found = await get("dies", { side: choice.side });
    listed = found.listed;
    $("empty").hidden = true;
    show();
  } catch (error) {
    $("empty").textContent = error.message;
    $("empty").hidden = false;
  }
}

function show() {
  const wanted = $("find").value.trim().toLowerCase();
  const fits = (die) => !wanted || [die.die, ...die.names, ...die.sheet].some((each) => each.toLowerCase().includes(wanted));
  const shown = listed.filter(fits).sort(ORDERS[$("order").value]);
  $("board").replaceChildren(...shown.map(card));
  const singles = shown.filter((die) => die.coins === 1).length;
  $("count").textContent = `${counted(shown.length, "die")}, ${singles} known from one coin`.replace("1 dies", "1 die");
}

function card(die) {
  const marks = [];
  if (die.held) marks.push(element("span", { className: "held", title: "checked by a person" }, "✓ checked"));
  if (die.sheet.length) marks.push(element("span", { className: "small", title: "the sheet’s dies" }, `sheet: ${die.sheet.slice(0, 3).join(", ")}${die.sheet.length > 3 ? " …" : ""}`));
  const sure = die.cohesion === null ? null : element("meter", { min: 0, max: 1, low: 0.6, high: 0.9, optimum: 1, value: die.cohesion, title: `its coins belong together: ${Math.round(100 * die.cohesion)} %` });
  const link = element("a", { href: to("die", { side: choice.side, die: die.die }), draggable: true },
    element("img", { src: small(die.face), alt: `coin ${die.best}`, width: 120, height: 120, loading: "lazy" }),
    element("b", {}, die.die), element("span", { className: "small" }, counted(die.coins, "coin")), sure, ...marks);
  const made = element("li", { className: "card", data: { die: die.die } }, link);
  link.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/x-die", die.die); event.dataTransfer.effectAllowed = "move"; });
  made.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-die")) { event.preventDefault(); made.classList.add("over"); } });
  made.addEventListener("dragleave", () => made.classList.remove("over"));
  made.addEventListener("drop", (event) => {
    event.preventDefault();
    made.classList.remove("over");
    const other = event.dataTransfer.getData("text/x-die");
    if (other && other !== die.die) merge(die.die, other);
  });
  return made;
}

async function merge(die, other) {
  if (!confirm(`Are ${other} and ${die} one die?`)) return;
  if (!(await known())) return;
  try {
    await post("merge", { side: choice.side, die, other });
    toast(`Kept: ${die} and ${other} are one die.`);
  } catch (error) { wrong(error); }
}

$("find").addEventListener("input", show);
$("order").value = kept("order", "number");
$("order").addEventListener("change", () => { keep("order", $("order").value); show(); });
onKeys({ "/": () => $("find").focus() });
document.addEventListener("di:state", ({ detail }) => showCounts(detail, "dies"));
document.addEventListener("di:dies", ({ detail }) => { if (detail.side === choice.side) reload(); refresh(); });
refresh();
reload();
