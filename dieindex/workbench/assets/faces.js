// Circles on photographs: moved, sized, turned, swapped, left out.
import { counted, element, get, post, values } from "./ask.js";
import { load } from "./picture.js";
import { refresh, toast, wrong } from "./shell.js";

const $ = (id) => document.getElementById(id);
const COLOURS = { obverse: "#46a0ff", reverse: "#ff9632" };
const canvas = document.querySelector("#stage canvas");
const context = canvas.getContext("2d");
let photographs = new Map();
let now = null;
let side = "obverse";
let layer = null;

async function reload() {
  try {
    const found = await get("faces");
    photographs = new Map();
    const of = (file) => {
      if (!photographs.has(file)) photographs.set(file, { file, coin: "", faces: {}, rows: [], reason: null });
      return photographs.get(file);
    };
    for (const face of found.faces) { const each = of(face.file); each.coin = face.coin; each.faces[face.side] = face; }
    for (const row of found.corrections) of(row.file).rows.push(row);
    for (const row of found.skipped) of(row.file).reason = row.reason;
    $("empty").hidden = true;
    list();
    const wanted = now?.file ?? values().file;
    const again = wanted && photographs.get(wanted);
    if (again) open(again); else if (shownNow.length) open(shownNow[0]); else clear();
  } catch (error) { $("empty").textContent = error.message; $("empty").hidden = false; }
}

let shownNow = [];
const doubtful = (each) => Object.values(each.faces).some((face) => !face.sure) || each.reason;
const unaligned = (each) => Object.values(each.faces).some((face) => face.unaligned !== null);
const WHICH = {
  doubtful, unaligned,
  corrected: (each) => each.rows.length,
  skipped: (each) => each.reason || !Object.keys(each.faces).length,
  all: () => true,
};

function list() {
  const wanted = $("find").value.trim().toLowerCase();
  shownNow = [...photographs.values()].filter(WHICH[$("which").value])
    .filter((each) => !wanted || each.file.toLowerCase().includes(wanted) || each.coin.toLowerCase() === wanted);
  $("items").replaceChildren(...shownNow.slice(0, 300).map((each) => {
    const why = each.reason ?? Object.values(each.faces).map((face) => face.reason ?? face.unaligned).find(Boolean) ?? "";
    const made = element("button", { type: "button", data: { file: each.file } }, element("b", {}, each.coin || each.file), element("span", { className: "small" }, each.file), element("span", { className: "small warn" }, why));
    if (now && now.file === each.file) made.setAttribute("aria-current", "true");
    made.addEventListener("click", () => open(each));
    return element("li", {}, made);
  }));
  $("rest").textContent = shownNow.length > 300 ? `and ${shownNow.length - 300} more` : shownNow.length ? counted(shownNow.length, "photograph") : "None of this kind.";
}

function clear() {
  now = null;
  layer = null;
  $("file").textContent = "";
  $("empty").textContent = $("which").value === "doubtful" ? "Every face was found for sure." : "Choose a photograph.";
  $("empty").hidden = false;
  paint();
}

async function open(each) {
  now = each;
  $("empty").hidden = true;
  $("file").textContent = each.file;
  const faces = Object.values(each.faces);
  $("why").textContent = each.reason ?? faces.map((face) => face.reason ?? (face.unaligned ? `${face.side} on no frame: ${face.unaligned}` : null)).filter(Boolean).join("; ");
  now.circles = {};
  for (const face of faces) now.circles[face.side] = { x: face.x, y: face.y, radius: face.radius, rotate: face.rotation, skip: false };
  now.swap = false;
  now.skip = false;
  for (const row of each.rows) {
    if (row.side && row.skip) (now.circles[row.side] ??= null, now.skipped = { ...now.skipped, [row.side]: true });
    if (!row.side && row.skip) now.skip = true;
    if (row.swap) now.swap = true;
  }
  now.skipped ??= {};
  if (!now.circles[side]) side = Object.keys(now.circles)[0] ?? side;
  now.changed = false;
  showTools();
  list();
  layer = null;
  delete canvas.dataset.shows;
  const face = faces[0];
  if (face) {
    try {
      const found = await load(`/picture/photograph/${face.face}`);
      const response = await fetch(`/picture/photograph/${face.face}`);
      const [width] = (response.headers.get("x-size") ?? `${found.width} 0`).split(" ").map(Number);
      if (now !== each) return;
      layer = found;
      now.scale = width / found.width;
      canvas.dataset.shows = each.file;
    } catch (error) { $("empty").textContent = "The photograph cannot be shown; is it still in its folder?"; $("empty").hidden = false; }
  } else { $("empty").textContent = each.reason ?? "No face of this photograph is used."; $("empty").hidden = false; }
  paint();
}

function showTools() {
  document.querySelectorAll("[data-side]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.side === side)));
  const circle = now?.circles?.[side];
  $("rotate").value = circle ? Math.round(circle.rotate) : 0;
  $("rotate").disabled = !circle;
  $("swap").checked = Boolean(now?.swap);
  $("skip").checked = Boolean(now?.skip);
  $("skip-face").checked = Boolean(now?.skipped?.[side]);
  $("add").hidden = Boolean(circle) || !layer;
  $("save").disabled = !now?.changed;
}

function changed() { now.changed = true; showTools(); paint(); }

// --- drawing

function fitting() {
  const scale = Math.min(canvas.width / layer.width, canvas.height / layer.height);
  return { scale, left: (canvas.width - layer.width * scale) / 2, top: (canvas.height - layer.height * scale) / 2 };
}

function paint() {
  const density = devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * density);
  canvas.height = Math.round(canvas.clientHeight * density);
  // Pixels per sixteenth of the page's letters.
  const unit = (density * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
  context.fillStyle = "#1b1d20";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (!layer) return;
  const { scale, left, top } = fitting();
  context.drawImage(layer.image, left, top, layer.width * scale, layer.height * scale);
  for (const [which, circle] of Object.entries(now.circles)) {
    if (!circle) continue;
    const [x, y, radius] = [left + ((circle.x + 0.5) / now.scale) * scale, top + ((circle.y + 0.5) / now.scale) * scale, (circle.radius / now.scale) * scale];
    const label = now.swap && !now.rows.some((row) => row.swap) ? (which === "obverse" ? "reverse" : "obverse") : which;
    context.strokeStyle = COLOURS[label];
    context.setLineDash(now.skip || now.skipped[which] ? [6, 6] : []);
    context.lineWidth = (which === side ? 3 : 1.5) * unit;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    const turn = (-circle.rotate * Math.PI) / 180 - Math.PI / 2;
    context.beginPath();
    context.moveTo(x + 0.86 * radius * Math.cos(turn), y + 0.86 * radius * Math.sin(turn));
    context.lineTo(x + 1.06 * radius * Math.cos(turn), y + 1.06 * radius * Math.sin(turn));
    context.stroke();
    paintLabel(label, x, y + radius, unit);
  }
}

// The side's name on a plate at the lower edge of its circle.
function paintLabel(label, x, y, unit) {
  context.font = `600 ${14 * unit}px sans-serif`;
  const [wide, high] = [context.measureText(label).width + 16 * unit, 22 * unit];
  const top = Math.min(y - high / 2, canvas.height - high);
  context.fillStyle = "rgba(27,29,32,.85)";
  context.fillRect(x - wide / 2, top, wide, high);
  context.fillStyle = COLOURS[label];
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(label, x, top + high / 2);
}

// --- hands

function at(event) {
  const box = canvas.getBoundingClientRect();
  const density = canvas.width / box.width;
  const { scale, left, top } = fitting();
  return {
    x: (((event.clientX - box.left) * density - left) / scale) * now.scale - 0.5,
    y: (((event.clientY - box.top) * density - top) / scale) * now.scale - 0.5,
  };
}

let held = null;
canvas.addEventListener("pointerdown", (event) => {
  if (!layer) return;
  const here = at(event);
  const away = (circle) => Math.hypot(here.x - circle.x, here.y - circle.y);
  const inside = Object.entries(now.circles).filter(([, circle]) => circle && away(circle) < circle.radius * 1.12);
  if (!inside.length) return;
  const [which, circle] = inside.find(([each]) => each === side) ?? inside[0];
  side = which;
  held = { circle, rim: away(circle) > circle.radius * 0.85, from: here, x: circle.x, y: circle.y };
  canvas.setPointerCapture(event.pointerId);
  showTools();
  paint();
});
canvas.addEventListener("pointermove", (event) => {
  if (!held) return;
  const here = at(event);
  if (held.rim) held.circle.radius = Math.max(8, Math.hypot(here.x - held.circle.x, here.y - held.circle.y));
  else { held.circle.x = held.x + here.x - held.from.x; held.circle.y = held.y + here.y - held.from.y; }
  changed();
});
canvas.addEventListener("pointerup", () => { held = null; });
canvas.addEventListener("pointercancel", () => { held = null; });
canvas.addEventListener("keydown", (event) => {
  const circle = now?.circles?.[side];
  if (!circle) return;
  const far = (event.shiftKey ? 10 : 2) * (now.scale ?? 1);
  const moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] };
  if (moves[event.key]) { circle.x += moves[event.key][0]; circle.y += moves[event.key][1]; }
  else if (event.key === "+" || event.key === "=") circle.radius += far;
  else if (event.key === "-") circle.radius = Math.max(8, circle.radius - far);
  else return;
  event.preventDefault();
  changed();
});

document.querySelectorAll("[data-side]").forEach((each) => each.addEventListener("click", () => { side = each.dataset.side; showTools(); paint(); }));
$("add").addEventListener("click", () => {
  now.circles[side] = { x: (layer.width * now.scale) / 2, y: (layer.height * now.scale) / 2, radius: (Math.min(layer.width, layer.height) * now.scale) / 4, rotate: 0 };
  changed();
});
$("rotate").addEventListener("change", () => { now.circles[side].rotate = Number($("rotate").value) || 0; changed(); });
$("swap").addEventListener("change", () => { now.swap = $("swap").checked; changed(); });
$("skip").addEventListener("change", () => { now.skip = $("skip").checked; changed(); });
$("skip-face").addEventListener("change", () => { now.skipped[side] = $("skip-face").checked; changed(); });
$("which").addEventListener("change", () => { list(); if (shownNow.length) open(shownNow[0]); else clear(); });
$("find").addEventListener("input", list);

function rowsOf() {
  const rows = [{ side: "", swap: now.swap, skip: now.skip }];
  for (const which of ["obverse", "reverse"]) {
    const circle = now.circles[which];
    const found = now.faces[which];
    const row = { side: which, skip: Boolean(now.skipped[which]) };
    const given = now.rows.some((each) => each.side === which && each.circle);
    const moved = circle && (!found || Math.abs(circle.x - found.x) > 0.4 || Math.abs(circle.y - found.y) > 0.4 || Math.abs(circle.radius - found.radius) > 0.4);
    if (circle && (moved || given)) Object.assign(row, { x: circle.x, y: circle.y, radius: circle.radius });
    if (circle && circle.rotate) row.rotate = circle.rotate;
    rows.push(row);
  }
  return rows;
}

async function save(rows) {
  try {
    await post("correct", { file: now.file, rows });
    now.changed = false;
    showTools();
    toast(`Kept in overrides.csv; ${now.file} is worked on again.`);
  } catch (error) { wrong(error); }
}

$("save").addEventListener("click", () => save(rowsOf()));
$("found").addEventListener("click", () => save([{ side: "" }, { side: "obverse" }, { side: "reverse" }]));
document.addEventListener("di:build", ({ detail }) => {
  document.getElementById("work").textContent = detail.finished ? "" : `${detail.step} ${detail.done} of ${detail.total}`;
  document.getElementById("work").hidden = detail.finished;
  if (detail.finished && detail.error) toast(detail.error, "wrong");
  if (detail.finished && !detail.error) toast("Done: the faces are as they were put right.");
  if (detail.finished) reload();
});
new ResizeObserver(paint).observe(canvas);
if (values().which) $("which").value = values().which;
if (values().file) $("which").value = "all";
refresh();
reload();
