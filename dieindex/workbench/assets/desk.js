// The desk: a pair, an answer, the next pair.
import { counted, element, get, kept, keep, person, post, small, to, values } from "./ask.js";
import { load } from "./picture.js";
import { known, onKeys, refresh, showCounts, sides, toast, wrong } from "./shell.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const KINDS = {
  "near miss": "one die?", contradiction: "two dies?", coin: "coin in doubt",
  unaligned: "on no frame", sheet: "sheet in doubt", specimen: "one coin?", asked: "asked for",
};
const VERDICTS = { same: "the same die", different: "different dies", unsure: "cannot tell", "one-coin": "one and the same coin" };
const AHEAD = 3;

const panes = [$("pane-a"), $("pane-b")];
const viewer = new Viewer(panes);
const state = { items: [], total: 0, later: new Set(), given: new Map(), touched: new Set(), now: null, pair: null, opinion: null, others: false };
const pairs = new Map();

const key = (side, a, b) => `${side} ${JSON.stringify([a, b].sort())}`;
const keyOf = (item) => key(item.side, item.coin, item.other_coin);

// --- the queue

const choice = sides(() => { state.now = null; state.later.clear(); reload(true); });

async function reload(fresh = false) {
  const [which, about] = [$("kind").value, $("about").value.trim()];
  let found;
  try {
    found = await get("queue", { side: choice.side, kinds: which });
  } catch (error) {
    if (error.status === 400 || error.status === 409) say(error.message);
    return;
  }
  const wanted = about.toLowerCase();
  const fits = (item) => !wanted || [item.coin, item.other_coin, item.die, item.other_die].some((each) => each.toLowerCase() === wanted);
  state.items = found.items.filter(fits);
  state.total = wanted ? state.items.length : found.total;
  state.touched.clear();
  showStand(found);
  showList();
  if (fresh || !state.now || (state.waits && state.items.length)) next();
  else prefetch();
}

function open() {
  return state.items.filter((item) => !state.given.has(keyOf(item)) && !state.later.has(keyOf(item)));
}

// Pairs of dies that an answer has just changed wait until these are found anew.
function following() {
  const left = open();
  const free = left.filter((item) => !state.touched.has(item.die) && !state.touched.has(item.other_die));
  return [...free, ...left.filter((item) => !free.includes(item))];
}

function next() {
  const [item] = following();
  if (item) show(item); else finished();
}

function finished() {
  state.now = null;
  state.pair = null;
  state.waits = true;
  viewer.clear();
  panes.forEach((pane) => { pane.querySelector(".facts").replaceChildren(); pane.querySelector(".beside").hidden = true; });
  $("kind-of").textContent = "";
  $("why").textContent = $("why").title = "";
  $("said").textContent = $("now").textContent = "";
  const narrowed = $("kind").value || $("about").value;
  say(state.later.size ? `Nothing else is left; ${counted(state.later.size, "pair")} wait for later. Press L to see them.`
    : narrowed ? "Nothing of this kind is left to look at." : "Nothing is left to look at on this side.");
  delete document.documentElement.dataset.painted;
  enable(false);
}

function say(text) {
  $("empty").textContent = text;
  $("empty").hidden = !text;
}

function enable(yes) {
  document.querySelectorAll(".answers button").forEach((each) => { each.disabled = !yes && each.id !== "later"; });
}

function showList() {
  const shown = following().slice(0, 60).map((item) => {
    const button = element("button", { type: "button", title: item.why },
      element("span", { className: "tag" }, KINDS[item.kind]),
      element("b", {}, item.die === item.other_die ? item.die : `${item.die} · ${item.other_die}`),
      element("span", { className: "small" }, `${item.coin} and ${item.other_coin}`));
    if (state.now && keyOf(item) === keyOf(state.now)) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => show(item));
    return element("li", {}, button);
  });
  $("items").replaceChildren(...shown);
  const more = state.total - state.items.length;
  $("rest").textContent = more > 0 ? `and ${more} more` : "";
}

function showStand(found) {
  const dies = found.least === null || found.least === found.most ? `${found.dies}` : `${found.dies} (${found.least} to ${found.most})`;
  const rows = [["dies", dies], ["coins in a wrong place, expected", found.expected_wrong.toFixed(1)], ["looks worth it", found.worth_looking]];
  $("stand").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  if (!found.worth_looking) $("stand").append(element("dd", { className: "enough" }, "Looking is hardly worth it any more: about one look in 26 still changes something."));
  if (found.refused.length) $("stand").append(element("dd", { className: "enough" }, `Verdicts that later ones contradict, and that do not count: ${refused(found.refused)}.`));
}

// (Seconds of a time say nothing here.)
function refused(told) {
  const shown = told.slice(0, 3).map((each) => each.replace(/(\d)T(\d\d:\d\d):\d\dZ/g, "$1 $2"));
  return shown.join("; ") + (told.length > 3 ? `; and ${told.length - 3} more` : "");
}

// --- a pair

function pairOf(item) {
  const name = keyOf(item);
  if (!pairs.has(name)) {
    const asked = get("pair", { side: item.side, a: item.coin, b: item.other_coin });
    asked.catch(() => pairs.delete(name));
    pairs.set(name, asked);
    while (pairs.size > 40) pairs.delete(pairs.keys().next().value);
  }
  return pairs.get(name);
}

const aroundOf = (pair, face) => ({ address: `/picture/around/${face}`, around: pair.around });
const pictureOf = (pair, coin) => pair.moved === coin.face
  ? { address: `/picture/moved/${coin.face}/${pair.fixed}`, around: pair.around } : aroundOf(pair, coin.face);

function picturesOf(pair) {
  const coins = [pair.a, pair.b];
  if (state.others && coins.every((coin) => coin.other_face)) {
    const names = coins.map((coin) => `the other side of ${coin.coin}`);
    return { names, faces: coins.map((coin) => aroundOf(pair, coin.other_face)), photographs: coins.map((coin) => `/picture/photograph/${coin.other_face}`) };
  }
  const names = coins.map((coin) => `the ${pair.side} of ${coin.coin}`);
  return { names, faces: coins.map((coin) => pictureOf(pair, coin)), photographs: coins.map((coin) => `/picture/photograph/${coin.face}`) };
}

async function show(item) {
  state.now = item;
  state.waits = false;
  state.others = false;
  viewer.fit();
  try {
    const pair = await pairOf(item);
    if (state.now !== item) return;
    state.pair = pair;
    state.opinion = null;
    say("");
    $("kind-of").textContent = KINDS[item.kind];
    $("one-coin").hidden = item.kind !== "specimen";
    $("why").textContent = $("why").title = item.why;
    $("now").textContent = `${pair.a.coin} of ${pair.a.die} and ${pair.b.coin} of ${pair.b.die}`;
    $("apart").textContent = pair.apart ? `Not aligned to each other: ${pair.apart}.` : "";
    $("apart").hidden = !pair.apart;
    [pair.a, pair.b].forEach((coin, which) => showFacts(panes[which], coin, pair));
    showSaid(pair);
    hideOpinion();
    enable(true);
    if (await viewer.show(picturesOf(pair)) && state.now === item) painted(item);
    showList();
    prefetch();
    if (kept("opinion") === "shown") showOpinion();
  } catch (error) {
    if (state.now !== item) return;
    wrong(error);
    state.given.set(keyOf(item), "gone");
    next();
  }
}

function painted(item) {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.painted = keyOf(item);
    document.dispatchEvent(new CustomEvent("di:painted"));
  }));
}

async function prefetch() {
  for (const item of following().filter((each) => each !== state.now).slice(0, AHEAD)) {
    try {
      const pair = await pairOf(item);
      for (const { address, around } of [pair.a, pair.b].map((coin) => pictureOf(pair, coin))) load(address, around).catch(() => {});
    } catch { /* (said when its turn comes) */ }
  }
}

function showFacts(pane, coin, pair) {
  const head = pane.querySelector(".facts");
  const side = pair.side;
  const parts = [
    element("a", { className: "name", href: to("coin", { side, coin: coin.coin }), title: "Against the best coin of every die" }, coin.coin),
    element("a", { className: side === "obverse" ? "o" : "r", href: to("die", { side, die: coin.die }) }, coin.die),
  ];
  if (coin.other_die) parts.push(element("a", { className: side === "obverse" ? "r" : "o", href: to("die", { side: side === "obverse" ? "reverse" : "obverse", die: coin.other_die }) }, coin.other_die));
  if (coin.sheet_die) parts.push(element("span", { title: "What the sheet says" }, `sheet: ${coin.sheet_die}`));
  if (coin.sheet.length) {
    const listed = element("dl", {}, ...coin.sheet.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
    parts.push(element("details", {}, element("summary", {}, "more"), listed));
  }
  if (!coin.sure) parts.push(element("span", { className: "warn" }, "face not found for sure"));
  parts.push(element("span", { className: "file" }, coin.file));
  head.replaceChildren(...parts);
  const beside = pane.querySelector(".beside");
  beside.hidden = !coin.other_face;
  if (coin.other_face) {
    beside.querySelector("img").src = small(coin.other_face);
    beside.title = "The other sides (O)";
    beside.setAttribute("aria-label", `The other side of ${coin.coin}`);
  }
}

function showSaid(pair) {
  const said = pair.reviews.filter((review) => !review.taken_back).slice(-2)
    .map((review) => `${review.by}: ${VERDICTS[review.verdict]}${review.note ? ` (${review.note})` : ""}`);
  $("said").textContent = said.length ? `Said before: ${said.join("; ")}.` : "";
}

function turnOver() {
  if (!state.pair || !state.pair.a.other_face || !state.pair.b.other_face) { toast("One of the two shows no other side."); return; }
  state.others = !state.others;
  $("kind-of").textContent = state.others ? "other sides" : KINDS[state.now.kind];
  viewer.show(picturesOf(state.pair)).catch(wrong);
}

// --- what the machine thinks

function hideOpinion() {
  const shown = kept("opinion") === "shown";
  $("opinion").setAttribute("aria-expanded", String(shown));
  $("opinion").querySelector("span")?.remove();
  $("opinion").lastChild.textContent = "What the machine thinks";
}

async function showOpinion() {
  const pair = state.pair;
  if (!pair) return null;
  try {
    const found = await get("opinion", { side: pair.side, a: pair.a.coin, b: pair.b.coin });
    if (state.pair !== pair) return null;
    state.opinion = found;
    const share = found.agreement ? `; ${Math.round(100 * found.agreement.share)} % of details agree` : "";
    const told = found.compared ? `One die: ${percent(found.probability)}${share}` : "Not compared";
    $("opinion").lastChild.textContent = told;
    $("opinion").setAttribute("aria-expanded", "true");
    viewer.agreement = found.agreement;
    viewer.draw();
    return found;
  } catch (error) { wrong(error); return null; }
}

function percent(p) {
  if (p < 0.001) return "< 0.1 %";
  if (p > 0.999) return "> 99.9 %";
  return `${(100 * p).toFixed(p < 0.1 || p > 0.9 ? 1 : 0)} %`;
}

async function toggleOpinion() {
  const shown = kept("opinion") === "shown";
  keep("opinion", shown ? "" : "shown");
  if (shown) hideOpinion(); else await showOpinion();
}

// --- answers

async function answer(verdict) {
  const item = state.now;
  if (!item || !state.pair) return;
  if (!(await known())) return;
  const note = $("note").value.trim();
  $("note").value = "";
  performance.mark("answered");
  state.given.set(keyOf(item), verdict);
  if (verdict !== "unsure") [state.pair.a.die, state.pair.b.die].forEach((die) => state.touched.add(die));
  pairs.delete(keyOf(item));
  next();
  try {
    await post("verdict", { side: item.side, a: item.coin, b: item.other_coin, verdict, note });
    toast(`Kept: ${item.coin} and ${item.other_coin}, ${VERDICTS[verdict]}.`, verdict);
    refresh();
  } catch (error) {
    state.given.delete(keyOf(item));
    wrong(error);
    show(item);
  }
}

function later() {
  if (state.now) state.later.add(keyOf(state.now));
  if (!open().length && state.later.size) state.later.clear();
  next();
}

// --- everything else

function setMode(mode) {
  viewer.setMode(mode);
  document.querySelectorAll("[data-mode]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.mode === mode)));
  $("amount-of").hidden = !viewer.amountName;
  if (viewer.amountName) {
    $("amount-of").firstElementChild.textContent = mode === "blink" ? "faster" : viewer.amountName;
    $("amount").value = viewer.amount;
  }
  if (mode === "map" && state.pair && !viewer.agreement) {
    showOpinion().then((found) => { if (found && !found.agreement) toast("These two were not compared in detail."); });
  }
}

function invert() {
  viewer.inverted = !viewer.inverted;
  $("invert").setAttribute("aria-pressed", String(viewer.inverted));
  viewer.draw();
}

document.querySelectorAll("[data-mode]").forEach((each) => each.addEventListener("click", () => setMode(each.dataset.mode)));
document.querySelectorAll("[data-verdict]").forEach((each) => each.addEventListener("click", () => answer(each.dataset.verdict)));
document.querySelectorAll(".beside").forEach((each) => each.addEventListener("click", turnOver));
$("later").addEventListener("click", later);
$("opinion").addEventListener("click", toggleOpinion);
$("invert").addEventListener("click", invert);
$("fit").addEventListener("click", () => { viewer.fit(); viewer.straighten(); viewer.draw(); });
$("amount").addEventListener("input", () => { viewer.amount = Number($("amount").value); });
document.addEventListener("di:amount", () => { $("amount").value = viewer.amount; });
$("kind").addEventListener("change", () => { state.now = null; reload(true); });
$("about").addEventListener("change", () => { state.now = null; reload(true); });
$("note").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); $("note").blur(); }
});

const step = (event) => (event.shiftKey ? 0.01 : 0.002);
const modes = [...document.querySelectorAll("[data-mode]")].map((each) => each.dataset.mode);
onKeys({
  s: () => answer("same"), d: () => answer("different"), u: () => answer("unsure"),
  c: () => { if (!$("one-coin").hidden) answer("one-coin"); },
  l: later, m: toggleOpinion, i: invert, o: turnOver,
  n: () => $("note").focus(),
  "+": () => viewer.zoom(1.25), "=": () => viewer.zoom(1.25), "-": () => viewer.zoom(0.8),
  0: () => { viewer.fit(); viewer.straighten(); viewer.draw(); },
  ArrowLeft: (event) => viewer.nudge(-step(event), 0), ArrowRight: (event) => viewer.nudge(step(event), 0),
  ArrowUp: (event) => viewer.nudge(0, -step(event)), ArrowDown: (event) => viewer.nudge(0, step(event)),
  ",": () => viewer.nudge(0, 0, -0.5), ".": () => viewer.nudge(0, 0, 0.5),
  ...Object.fromEntries(modes.map((mode, number) => [String(number + 1), () => setMode(mode)])),
});

document.addEventListener("di:state", ({ detail }) => showCounts(detail, "queue"));
document.addEventListener("di:dies", ({ detail }) => {
  pairs.clear();
  if (detail.side === choice.side) reload();
  refresh();
});
document.addEventListener("di:back", () => reload());
document.addEventListener("di:verdicts", async ({ detail }) => {
  const said = new Set(detail.reviews.map((review) => key(review.side, review.coin_a, review.coin_b)));
  said.forEach((name) => pairs.delete(name));
  const item = state.now;
  if (!item || !said.has(keyOf(item))) return;
  const pair = await pairOf(item).catch(() => null);
  if (pair && state.now === item) showSaid(pair);
});
document.addEventListener("di:turned", ({ detail }) => {
  const [first] = detail.kept;
  state.given.delete(key(first.side, first.coin_a, first.coin_b));
  pairs.clear();
  if (detail.which === "undo" && detail.kept.length === 1) {
    if (first.side !== choice.side) choice.choose(first.side);
    show(asked(first.side, first.coin_a, first.coin_b, "taken back: what do you see?"));
  }
});

function asked(side, a, b, why) {
  return { kind: "asked", side, coin: a, other_coin: b, die: "", other_die: "", why };
}

setMode("side");
enable(false);
const given = values();
if (given.about) $("about").value = given.about;
if (given.kind) $("kind").value = given.kind;
if (!person()) known();
refresh();
if (given.a && given.b) {
  show(asked(choice.side, given.a, given.b, ""));
  reload();
} else reload(true);
