// The study as it stands, and where it is written.
import { counted, element, get, post } from "./ask.js";
import { refresh, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const shown = { default: "study" };

async function reload() {
  $("busy").hidden = false;
  try {
    const found = await get("study");
    $("title").textContent = found.title;
    $("count").textContent = `${counted(found.coins, "coin")}, ${counted(found.groups, "group")} of linked dies`;
    shown.default = found.default;
    if (!$("path").value) proposePath();
    $("keys-of").replaceChildren(...Object.entries(found.sides).map(([side, each]) => element("div", {},
      element("b", { className: side === "obverse" ? "o" : "r" }, String(each.dies)),
      element("span", {}, `${side} dies of ${counted(each.coins, "coin")}, ${each.singletons} known from one`),
      element("span", {}, each.low === null ? "no estimate" : `there were perhaps ${Math.round(each.low)} to ${Math.round(each.high)}`))));
    $("report").src = `/study/report?${new URLSearchParams({ theme: document.documentElement.dataset.theme, at: Date.now() })}`;
    $("empty").hidden = true;
    $("report").hidden = false;
  } catch (error) {
    $("empty").textContent = error.message;
    $("empty").hidden = false;
    $("report").hidden = !$("report").src;
  }
  $("busy").hidden = true;
}

function proposePath() {
  const kind = $("kind").value;
  $("path").value = kind === "study" ? shown.default : `${shown.default}${kind === "workbook" ? "-dies.xlsx" : "-verdicts.csv"}`;
}

$("kind").addEventListener("change", proposePath);
$("export").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("written").textContent = "Writing …";
  try {
    const found = await post("export", { kind: $("kind").value, path: $("path").value });
    $("written").textContent = `Written to ${found.path}.`;
    toast(`Written to ${found.path}.`);
  } catch (error) { $("written").textContent = error.message; wrong(error); }
});
$("theme").addEventListener("click", () => {
  const page = $("report").contentDocument?.documentElement;
  if (page) page.dataset.theme = document.documentElement.dataset.theme;
});
$("again").addEventListener("click", reload);
document.addEventListener("di:dies", () => { $("again").classList.add("main"); reload(); });
refresh();
reload();
