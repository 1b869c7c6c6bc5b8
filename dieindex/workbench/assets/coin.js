// A coin against the best coin of every die that it may belong to, answered by a digit.
import { counted, element, get, large, post, to, values } from "./ask.js";
import { known, onKeys, refresh, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const { side } = values();
let coin = values().coin;
let found = null;
const seen = new Set();

async function reload() {
  try {
    found = await get("coin", { side, coin });
  } catch (error) {
    $("strip").hidden = true;
    $("coin").textContent = coin;
    // (What a terminal says besides is of no use here.)
    $("empty").textContent = error.message.replace(/; `dieindex .*$/, ".");
    $("empty").hidden = false;
    return;
  }
  $("strip").hidden = false;
  $("empty").hidden = true;
  coin = found.coin.coin;
  seen.add(coin);
  document.title = `${coin} · dieindex`;
  $("coin").textContent = coin;
  $("facts").replaceChildren("now in ", element("a", { className: side === "obverse" ? "o" : "r", href: to("die", { side, die: found.coin.die }) }, found.coin.die),
    found.coin.sheet_die ? `; the sheet says ${found.coin.sheet_die}` : "");
  $("face").src = large(found.coin.face);
  $("face").alt = `The ${side} of ${coin}`;
  $("known").textContent = [found.coin.file, found.coin.unaligned ? `on no frame: ${found.coin.unaligned}` : ""].filter(Boolean).join(" · ");
  const dies = found.candidates.filter((each) => each.die);
  $("candidates").replaceChildren(...dies.map(card), own());
  document.documentElement.dataset.painted = coin;
}

function card(die, place) {
  const made = element("button", { type: "button", className: die.die === found.coin.die ? "current" : "", "aria-keyshortcuts": String(place + 1) },
    element("kbd", { ariaHidden: "true" }, String(place + 1)),
    element("img", { src: large(die.face), alt: `coin ${die.coin}`, width: 220, height: 220 }),
    element("b", {}, die.die), element("span", { className: "small" }, `${counted(die.coins, "coin")}; here ${die.coin}${die.die === found.coin.die ? "; where it is now" : ""}`));
  made.addEventListener("click", () => choose(die));
  return element("li", {}, made, element("a", { className: "small", href: to("desk", { side, a: coin, b: die.coin }) }, "compare closely"));
}

function own() {
  const made = element("button", { type: "button", className: "own", "aria-keyshortcuts": "0" }, element("kbd", { ariaHidden: "true" }, "0"), element("b", {}, "a die of its own"));
  made.addEventListener("click", () => choose(null));
  return element("li", {}, made);
}

async function choose(die) {
  if (!(await known())) return;
  const asked = coin;
  try {
    if (die && die.die === found.coin.die) await post("verdict", { side, a: coin, b: die.coin, verdict: "same" });
    else if (!die && found.candidates.every((each) => each.die !== found.coin.die)) await post("verdict", { side, a: coin, b: found.candidates[0].coin, verdict: "different" });
    else await post("move", { side, coins: [coin], to: die ? die.die : null });
    toast(`Kept: ${asked} is of ${die ? die.die : "a die of its own"}.`);
    next();
  } catch (error) { wrong(error); }
}

async function next() {
  try {
    const queue = await get("queue", { side, kinds: "coin,unaligned" });
    const item = queue.items.find((each) => !seen.has(each.coin));
    if (!item) { toast("No other coin of this side is in doubt."); reload(); return; }
    coin = item.coin;
    history.pushState(null, "", to("coin", { side, coin }));
    reload();
  } catch (error) { wrong(error); }
}

const digits = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [String(digit), () => {
  const die = found?.candidates.filter((each) => each.die)[digit - 1];
  if (die) choose(die);
}]));
onKeys({ ...digits, 0: () => choose(null), l: next });
$("next").addEventListener("click", next);
addEventListener("popstate", () => { coin = values().coin; reload(); });
document.addEventListener("di:dies", ({ detail }) => { if (detail.side === side) reload(); });
if (side && coin) { refresh(); reload(); } else location.replace("/dies");
