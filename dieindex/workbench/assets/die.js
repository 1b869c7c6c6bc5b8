// One die with all its coins.
import { counted, element, get, kept, keep, large, post, small, to, values } from "./ask.js";
import { known, onKeys, refresh, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const { side } = values();
let name = values().die;
let chosen = new Set();
let shown = null;

async function reload() {
  let found;
  try {
    found = await get("die", { side, die: name });
  } catch (error) {
    const follow = await whereIt();
    if (follow && follow !== name) { go(follow); return; }
    $("die").textContent = name ?? "";
    nothing(error.message);
    return;
  }
  shown = found;
  nothing("");
  chosen = new Set([...chosen].filter((coin) => found.coins.some((each) => each.coin === coin)));
  document.title = `${name} · dieindex`;
  $("die").textContent = name;
  $("die").className = side === "obverse" ? "o" : "r";
  $("name").value = name;
  const facts = [counted(found.coins.length, "coin")];
  if (found.cohesion !== null) facts.push(`its coins belong together: ${Math.round(100 * found.cohesion)} %`);
  $("facts").textContent = facts.join("; ");
  $("hold").disabled = found.held || found.coins.length < 2;
  $("hold").lastChild.textContent = found.held ? "Checked" : "Mark as checked";
  for (const [id, other] of [["before", found.before], ["after", found.after]]) {
    if (other) $(id).href = to("die", { side, die: other }); else $(id).removeAttribute("href");
  }
  const near = new Set(found.neighbours.map((each) => each.die));
  $("to").replaceChildren(element("option", { value: "" }, "a die of their own"),
    ...[...near, ...found.all.filter((each) => !near.has(each))].filter((each) => each !== name).map((each) => element("option", { value: each }, each)));
  $("coins").replaceChildren(...found.coins.map(tile));
  $("mean").src = `/picture/mean?${new URLSearchParams({ side, die: name, r: found.revision })}`;
  $("mean").hidden = found.coins.every((coin) => coin.unaligned !== null);
  $("neighbours").replaceChildren(...(found.neighbours.length ? found.neighbours.map(neighbour) : [element("li", { className: "small" }, "none")]), ownDie());
  $("doubts").replaceChildren(...(found.doubts.length ? found.doubts.map(doubt) : [element("li", { className: "small" }, "nothing")]));
  showChosen();
}

// In place of a die that is not there.
function nothing(text) {
  $("empty").textContent = text;
  $("empty").hidden = !text;
  for (const id of ["all-of", "naming", "hold"]) $(id).hidden = Boolean(text);
}

// The die that the first coin shown is in now: names may have changed.
async function whereIt() {
  if (!shown) return null;
  try {
    return (await get("coin", { side, coin: shown.coins[0].coin })).coin.die;
  } catch { return null; }
}

function go(die) {
  name = die;
  history.replaceState(null, "", to("die", { side, die }));
  reload();
}

function tile(coin) {
  const wide = $("large").checked;
  const box = element("input", { type: "checkbox", checked: chosen.has(coin.coin), ariaLabel: `Choose ${coin.coin}` });
  const picture = element("img", { src: wide ? large(coin.face) : small(coin.face), alt: "", loading: "lazy", width: wide ? 300 : 140, height: wide ? 300 : 140 });
  const doubt = coin.certainty < 0.9 ? element("span", { className: "warn" }, `${Math.round(100 * coin.certainty)} % sure`) : null;
  const made = element("li", { className: "tile", draggable: true, data: { coin: coin.coin } },
    element("label", {}, box, picture, element("b", {}, coin.coin)),
    doubt,
    coin.unaligned !== null ? element("span", { className: "warn" }, "on no frame") : null,
    coin.sheet_die ? element("span", { className: "small" }, `sheet: ${coin.sheet_die}`) : null,
    element("a", { className: "small", href: to("coin", { side, coin: coin.coin }) }, "all its dies"));
  box.addEventListener("change", () => { if (box.checked) chosen.add(coin.coin); else chosen.delete(coin.coin); showChosen(); });
  made.addEventListener("dragstart", (event) => {
    if (!chosen.has(coin.coin)) { chosen = new Set([coin.coin]); syncBoxes(); showChosen(); }
    event.dataTransfer.setData("text/x-coins", JSON.stringify([...chosen]));
    event.dataTransfer.effectAllowed = "move";
    if (chosen.size > 1) dragTogether(event.dataTransfer);
  });
  return made;
}

// Under the pointer: how many coins are dragged.
function dragTogether(transfer) {
  const badge = element("div", { className: "dragged" }, counted(chosen.size, "coin"));
  document.body.append(badge);
  transfer.setDragImage(badge, 12, 12);
  setTimeout(() => badge.remove());
}

function neighbour(near) {
  const made = element("li", { className: "beside-card" },
    element("a", { href: to("die", { side, die: near.die }) }, element("img", { src: small(near.face), alt: `coin ${near.coin} of ${near.die}`, width: 72, height: 72, loading: "lazy" })),
    element("div", {}, element("a", { href: to("die", { side, die: near.die }) }, element("b", {}, near.die)), element("span", { className: "small" }, counted(near.coins, "coin")),
      element("span", { className: "row" },
        element("a", { className: "button", href: to("desk", { side, a: shown.coins[0].coin, b: near.coin }) }, "compare"),
        button("one die", () => merge(near.die)))));
  dropCoins(made, near.die);
  return made;
}

// Where coins are dragged that are of none of these.
function ownDie() {
  const made = element("li", { className: "beside-card own-drop" }, "a die of their own: drag coins here");
  dropCoins(made, "");
  return made;
}

function button(text, act) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", act);
  return made;
}

function dropCoins(target, die) {
  target.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-coins")) { event.preventDefault(); target.classList.add("over"); } });
  target.addEventListener("dragleave", () => target.classList.remove("over"));
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("over");
    move(JSON.parse(event.dataTransfer.getData("text/x-coins") || "[]"), die);
  });
}

function doubt(item) {
  return element("li", {}, element("a", { href: to("desk", { side, a: item.coin, b: item.other_coin }) }, `${item.coin} and ${item.other_coin}`), element("span", { className: "small" }, ` ${item.why}`));
}

function syncBoxes() {
  for (const each of $("coins").children) each.querySelector("input").checked = chosen.has(each.dataset.coin);
}

function showChosen() {
  $("chosen").textContent = chosen.size ? `${chosen.size} of ${shown.coins.length} chosen` : "none chosen";
  $("move").disabled = !chosen.size;
}

async function done(work, text) {
  if (!(await known())) return;
  try {
    await work();
    toast(text);
  } catch (error) { wrong(error); }
}

const move = (coins, die) => done(() => post("move", { side, coins, to: die || null }), `Kept: ${counted(coins.length, "coin")} of ${die || "a die of their own"}.`).then(() => { chosen.clear(); });
const merge = (other) => done(() => post("merge", { side, die: name, other }), `Kept: ${name} and ${other} are one die.`);
const hold = () => done(() => post("hold", { side, die: name }), `Kept: all coins of ${name} are of one die.`);

$("all").addEventListener("click", () => { chosen = new Set(shown.coins.map((coin) => coin.coin)); syncBoxes(); showChosen(); });
$("none").addEventListener("click", () => { chosen.clear(); syncBoxes(); showChosen(); });
$("move").addEventListener("click", () => move([...chosen], $("to").value));
$("hold").addEventListener("click", hold);
$("large").checked = kept("large") === "yes";
$("large").addEventListener("change", () => { keep("large", $("large").checked ? "yes" : ""); $("coins").classList.toggle("wide", $("large").checked); reload(); });
$("coins").classList.toggle("wide", $("large").checked);
$("naming").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = $("name").value.trim();
  try {
    await post("name", { side, die: name, name: wanted });
    name = wanted;
    history.replaceState(null, "", to("die", { side, die: name }));
    toast(`This die goes by ${wanted} now.`);
  } catch (error) { wrong(error); }
});
onKeys({
  c: () => { if (!$("hold").disabled) hold(); },
  "[": () => { if ($("before").href) location.assign($("before").href); },
  "]": () => { if ($("after").href) location.assign($("after").href); },
});
document.addEventListener("di:dies", ({ detail }) => { if (detail.side === side) reload(); });
if (side && name) { refresh(); reload(); } else location.replace("/dies");
