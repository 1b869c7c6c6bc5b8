// Every verdict ever given.
import { counted, element, get, person, post, to } from "./ask.js";
import { known, refresh, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const WORDS = { same: "same", different: "different", unsure: "cannot tell", "one-coin": "one coin" };
const MOST = 1000;
let reviews = [];

async function reload() {
  try {
    const found = await get("log");
    reviews = found.reviews;
    const chosen = $("by").value;
    const persons = [...new Set(reviews.map((each) => each.by))].sort();
    $("by").replaceChildren(element("option", { value: "" }, "all"), ...persons.map((each) => element("option", { value: each }, each)));
    $("by").value = persons.includes(chosen) ? chosen : "";
    $("disagree").hidden = !found.disagreements.length;
    $("disagreements").replaceChildren(...found.disagreements.map((each) => {
      const [first] = each.reviews;
      return element("li", {}, link(each.side, first.coin_a, first.coin_b), element("span", { className: "small" }, ` ${each.side}: ${each.reviews.map((r) => `${r.by} says ${WORDS[r.verdict]}`).join(", ")}; the last one counts`));
    }));
    show();
  } catch (error) { wrong(error); }
}

const link = (side, a, b) => element("a", { href: to("desk", { side, a, b }) }, `${a} and ${b}`);

function show() {
  const wanted = $("find").value.trim().toLowerCase();
  const shown = reviews.filter((each) => (!$("side").value || each.side === $("side").value)
    && (!$("verdict").value || each.verdict === $("verdict").value)
    && (!$("by").value || each.by === $("by").value)
    && (!wanted || [each.coin_a, each.coin_b, each.note, each.by].some((text) => text.toLowerCase().includes(wanted))));
  $("rows").replaceChildren(...shown.slice(0, MOST).map(row));
  $("count").textContent = counted(shown.length, "verdict") + (shown.length > MOST ? `, the latest ${MOST} shown` : "");
  $("empty").textContent = reviews.length ? "None fits." : "Nobody has said anything yet.";
  $("empty").hidden = shown.length > 0;
}

function row(each) {
  const back = each.counts && !each.taken_back && each.verdict !== "unsure" ? element("button", { type: "button" }, "take back") : null;
  back?.addEventListener("click", async () => {
    if (!(await known())) return;
    try {
      await post("verdict", { side: each.side, a: each.coin_a, b: each.coin_b, verdict: "unsure", note: each.by === person() ? "taken back" : "" });
      toast(`Taken back: ${each.coin_a} and ${each.coin_b}.`);
    } catch (error) { wrong(error); }
  });
  return element("tr", { className: each.counts ? "" : "past" },
    element("td", {}, each.time.slice(0, 16).replace("T", " ")), element("td", {}, each.by), element("td", { className: each.side === "obverse" ? "o" : "r" }, each.side),
    element("td", {}, link(each.side, each.coin_a, each.coin_b)), element("td", { className: each.taken_back ? "unsure" : each.verdict }, each.taken_back ? "taken back" : WORDS[each.verdict]),
    element("td", {}, each.taken_back ? "" : each.note), element("td", {}, back));
}

for (const id of ["side", "verdict", "by"]) $(id).addEventListener("change", show);
$("find").addEventListener("input", show);
document.addEventListener("di:verdicts", reload);
refresh();
reload();
