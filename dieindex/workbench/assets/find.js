// A photograph from elsewhere among the dies.
import { counted, element, large, send, to } from "./ask.js";
import { onKeys, refresh } from "./shell.js";

const $ = (id) => document.getElementById(id);
let asked = 0;

const percent = (share) => (share >= 0.995 ? "over 99 %" : share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`);

async function find(file) {
  const own = ++asked;
  $("told").textContent = `Looking for ${file.name} …`;
  $("form").classList.add("busy");
  $("found").replaceChildren();
  try {
    const { found } = await send("find", file);
    if (own !== asked) return;
    $("told").textContent = file.name;
    $("found").replaceChildren(...found.map(side));
    document.documentElement.dataset.painted = file.name;
  } catch (error) {
    if (own === asked) $("told").textContent = error.message;
  } finally {
    if (own === asked) $("form").classList.remove("busy");
  }
}

function side(each) {
  const title = element("h2", {}, each.side ? `The ${each.side}` : "A side");
  const known = each.known_as ? element("p", { className: "small" }, `This very file is in the collection: ${each.known_as}, which is left out here.`) : "";
  if (each.new_die === null) return element("section", {}, title, known, element("p", {}, `Cannot tell: ${each.reason}.`));
  const shown = element("figure", { className: "asked" },
    element("img", { src: each.picture, alt: `The ${each.side} of the photograph`, width: 360, height: 360 }),
    element("figcaption", {}, `A die that is not here: ${percent(each.new_die)}`));
  const dies = element("ol", { className: "candidates", ariaLabel: "The likeliest dies" }, ...each.dies.map((die) => card(each.side, die)));
  return element("section", {}, title, known, element("div", { className: "strip" }, shown, dies));
}

function card(of, die) {
  return element("li", {},
    element("a", { className: "card", href: to("die", { side: of, die: die.die }) },
      die.face === null ? "" : element("img", { src: large(die.face), alt: `coin ${die.coin}`, width: 220, height: 220 }),
      element("b", {}, `${die.die}: ${percent(die.probability)}`),
      element("span", { className: "small" }, `${counted(die.coins, "coin")}; here ${die.coin}, the most like it`)));
}

$("file").addEventListener("change", () => { if ($("file").files.length) find($("file").files[0]); $("file").value = ""; });
$("form").addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragover", "dragenter"]) document.addEventListener(name, (event) => { event.preventDefault(); $("form").classList.add("over"); });
for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => { event.preventDefault(); $("form").classList.remove("over"); });
document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) find(event.dataTransfer.files[0]); });
onKeys({ f: () => $("file").click() });
refresh();
