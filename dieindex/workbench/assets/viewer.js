// Two faces on their common frame, looked at in different ways with one zoom, one place and one
// cross-hair. Positions are in units of the frame, 0 … 1.
import { kept, keep } from "./ask.js";
import { load } from "./picture.js";

const BLUE = [70, 160, 255];
const ORANGE = [255, 150, 50];
const AMOUNTS = { blink: ["each", 50], slider: ["left", 50], onion: ["right coin", 50] };
const GROUND = "#1b1d20";

export class Viewer {
  constructor(panes, onShift = () => {}) {
    this.panes = panes;
    this.canvases = panes.map((pane) => pane.querySelector("canvas"));
    this.onShift = onShift;
    this.mode = "side";
    this.pair = null;
    this.layers = [null, null];
    this.photographs = [null, null];
    this.gone = [false, false];
    this.agreement = null;
    this.inverted = false;
    this.pointer = null;
    this.amounts = Object.fromEntries(Object.entries(AMOUNTS).map(([name, [, value]]) => [name, Number(kept(`amount-${name}`, value))]));
    this.shows = 0;
    this.fit();
    this.straighten();
    this.canvases.forEach((canvas, which) => this.listen(canvas, which));
    new ResizeObserver(() => this.draw()).observe(panes[0].parentElement);
  }

  get single() { return !["side", "photograph"].includes(this.mode); }

  fit() { this.view = { x: 0.5, y: 0.5, zoom: 1 }; }

  straighten() { this.shift = { x: 0, y: 0, turn: 0 }; }

  // `pair`: both faces (their address, and what is shown around the frame), and the addresses of
  // both photographs.
  async show(pair) {
    this.pair = pair;
    this.agreement = null;
    this.photographs = [null, null];
    this.gone = [false, false];
    this.straighten();
    const layers = await Promise.all(pair.faces.map(({ address, around }) => load(address, around)));
    if (this.pair !== pair) return false;
    this.layers = layers;
    if (this.mode === "photograph") await this.loadPhotographs();
    this.setMode(this.mode);
    return true;
  }

  clear() {
    this.pair = null;
    this.layers = [null, null];
    this.photographs = [null, null];
    this.canvases.forEach((canvas) => canvas.setAttribute("aria-label", "no coin"));
    this.draw();
  }

  async loadPhotographs() {
    const pair = this.pair;
    const found = await Promise.all(pair.photographs.map((each) => load(each).catch(() => null)));
    if (this.pair === pair) { this.photographs = found; this.gone = found.map((each) => !each); this.draw(); }
  }

  setMode(mode) {
    this.mode = mode;
    const stage = this.panes[0].parentElement;
    stage.classList.toggle("single", this.single);
    stage.dataset.look = mode;
    const names = this.pair?.names ?? [];
    this.canvases.forEach((canvas, which) => canvas.setAttribute("aria-label", this.single && this.pair ? names.join(" and ") : names[which] ?? "no coin"));
    clearInterval(this.timer);
    delete stage.dataset.shows;
    if (mode === "blink") {
      this.shows = 0;
      stage.dataset.shows = 0;
      this.timer = setInterval(() => { this.shows = 1 - this.shows; stage.dataset.shows = this.shows; this.draw(); }, this.pause);
    }
    if (mode === "photograph" && this.pair && !this.photographs[0]) this.loadPhotographs();
    this.draw();
  }

  get pause() { return 1200 - 11 * this.amounts.blink; }

  get amountName() { return AMOUNTS[this.mode]?.[0] ?? null; }

  set amount(value) {
    this.amounts[this.mode] = value;
    keep(`amount-${this.mode}`, value);
    if (this.mode === "blink") this.setMode("blink"); else this.draw();
  }

  get amount() { return this.amounts[this.mode] ?? 50; }

  zoom(times, at = { x: this.view.x, y: this.view.y }) {
    const zoom = Math.max(0.8, Math.min(16, this.view.zoom * times));
    const factor = this.view.zoom / zoom;
    this.view = { x: at.x + (this.view.x - at.x) * factor, y: at.y + (this.view.y - at.y) * factor, zoom };
    this.draw();
  }

  nudge(x, y, turn = 0) {
    this.shift = { x: this.shift.x + x, y: this.shift.y + y, turn: this.shift.turn + turn };
    this.onShift(this.shift);
    this.draw();
  }

  // --- drawing

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = null; this.paint(); });
  }

  paint() {
    const shown = this.single ? [0] : [0, 1];
    for (const which of shown) {
      const canvas = this.canvases[which];
      const density = devicePixelRatio || 1;
      const [width, height] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
      if (!width || !height) continue;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.globalAlpha = 1;
      context.globalCompositeOperation = "source-over";
      context.fillStyle = ["edges", "difference"].includes(this.mode) ? "#000" : GROUND;
      context.fillRect(0, 0, width, height);
      if (this.layers[0] && this.layers[1]) this.paintPane(context, which, width, height);
    }
  }

  // Units of the frame to pixels of a canvas.
  place(context, width, height) {
    const scale = Math.min(width, height) * this.view.zoom;
    context.setTransform(scale, 0, 0, scale, width / 2 - this.view.x * scale, height / 2 - this.view.y * scale);
    context.imageSmoothingQuality = "high";
    return scale;
  }

  face(context, which, drawn) {
    context.save();
    if (which === 1) {
      context.translate(0.5 + this.shift.x, 0.5 + this.shift.y);
      context.rotate((this.shift.turn * Math.PI) / 180);
      context.translate(-0.5, -0.5);
    }
    const { around } = this.layers[which];
    context.drawImage(drawn, -around, -around, 1 + 2 * around, 1 + 2 * around);
    context.restore();
  }

  picture(which) {
    const layer = this.layers[which];
    return which === 1 && this.inverted ? layer.inverted : layer.image;
  }

  paintPane(context, which, width, height) {
    if (this.mode === "photograph") { this.paintPhotograph(context, which, width, height); return; }
    if (this.mode === "unrolled") { this.paintUnrolled(context, width, height); return; }
    const scale = this.place(context, width, height);
    switch (this.mode) {
      case "side": this.face(context, which, this.picture(which)); break;
      case "blink": this.face(context, this.shows, this.picture(this.shows)); break;
      case "slider": {
        this.face(context, 0, this.picture(0));
        const at = (width * this.amount) / 100;
        context.save();
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.beginPath();
        context.rect(at, 0, width - at, height);
        context.clip();
        context.fillStyle = GROUND;
        context.fillRect(at, 0, width - at, height);
        this.place(context, width, height);
        this.face(context, 1, this.picture(1));
        context.restore();
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.fillStyle = "#fff";
        context.fillRect(at - 1, 0, 2, height);
        break;
      }
      case "onion":
        this.face(context, 0, this.picture(0));
        context.globalAlpha = this.amount / 100;
        this.face(context, 1, this.picture(1));
        break;
      case "edges":
        this.face(context, 0, this.layers[0].edges(...BLUE));
        context.globalCompositeOperation = "lighter";
        this.face(context, 1, this.layers[1].edges(...ORANGE));
        break;
      case "difference":
        this.face(context, 0, this.layers[0].even);
        context.globalCompositeOperation = "difference";
        this.face(context, 1, this.layers[1].even);
        context.globalCompositeOperation = "lighter";
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.drawImage(context.canvas, 0, 0);
        break;
      case "map":
        this.face(context, 0, this.layers[0].image);
        if (this.agreement) this.paintAgreement(context, scale);
        break;
    }
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-over";
    if (this.pointer) this.paintCross(context, scale);
  }

  paintCross(context, scale) {
    context.strokeStyle = "rgba(255,255,255,.65)";
    context.lineWidth = 1 / scale;
    context.beginPath();
    context.moveTo(this.pointer.x - 9, this.pointer.y);
    context.lineTo(this.pointer.x + 9, this.pointer.y);
    context.moveTo(this.pointer.x, this.pointer.y - 9);
    context.lineTo(this.pointer.x, this.pointer.y + 9);
    context.stroke();
  }

  paintAgreement(context, scale) {
    const { grid, value, weight, displacement } = this.agreement;
    const cell = 1 / grid;
    for (let row = 0; row < grid; row++) {
      for (let column = 0; column < grid; column++) {
        const at = row * grid + column;
        if (weight[at] < 0.15) continue;
        const strength = Math.min(0.6, weight[at] * Math.abs(value[at]));
        context.fillStyle = value[at] > 0 ? `rgba(40,170,90,${strength})` : `rgba(225,55,50,${strength})`;
        context.fillRect(column * cell, row * cell, cell * 1.02, cell * 1.02);
      }
    }
    context.strokeStyle = "rgba(255,255,255,.9)";
    context.lineWidth = 1.4 / scale;
    for (let row = 2; row < grid; row += 4) {
      for (let column = 2; column < grid; column += 4) {
        const at = row * grid + column;
        if (weight[at] < 0.3 || value[at] > -0.2) continue;
        const [x, y] = [(column + 0.5) * cell, (row + 0.5) * cell];
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(x + displacement[2 * at] * cell * 6, y + displacement[2 * at + 1] * cell * 6);
        context.stroke();
      }
    }
  }

  paintUnrolled(context, width, height) {
    const zoom = this.view.zoom;
    const across = width * zoom;
    const down = Math.min(height / 2 - 8, (across * 190) / 1600);
    const left = width / 2 - this.view.x * across;
    context.imageSmoothingQuality = "high";
    const turned = (this.shift.turn / 360) * across;
    const strips = [this.layers[0].unrolled, this.layers[1].unrolled];
    strips.forEach((strip, which) => {
      const top = which === 0 ? height / 2 - down - 2 : height / 2 + 2;
      for (const round of [-1, 0, 1]) context.drawImage(strip, left + round * across + (which === 1 ? turned : 0), top, across, down);
    });
    if (this.line !== null && this.line !== undefined) {
      context.fillStyle = "rgba(255,255,255,.65)";
      context.fillRect(this.line, height / 2 - down - 2, 1, 2 * down + 4);
    }
  }

  paintPhotograph(context, which, width, height) {
    const layer = this.photographs[which];
    if (!layer) {
      if (this.gone[which]) this.paintText(context, "The photograph cannot be shown; is it still in its folder?", width, height);
      return;
    }
    const scale = Math.min(width / layer.width, height / layer.height) * this.view.zoom;
    const [x, y] = [this.view.x * layer.width, this.view.y * layer.height];
    context.imageSmoothingQuality = "high";
    context.drawImage(layer.image, width / 2 - x * scale, height / 2 - y * scale, layer.width * scale, layer.height * scale);
  }

  paintText(context, text, width, height) {
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * (devicePixelRatio || 1);
    context.font = `${size}px sans-serif`;
    context.textAlign = "center";
    context.fillStyle = "#9aa2aa";
    context.fillText(text, width / 2, height / 2, 0.94 * width);
  }

  // --- hands

  at(canvas, event) {
    const box = canvas.getBoundingClientRect();
    const scale = Math.min(box.width, box.height) * this.view.zoom;
    return {
      x: this.view.x + (event.clientX - box.left - box.width / 2) / scale,
      y: this.view.y + (event.clientY - box.top - box.height / 2) / scale,
      scale,
    };
  }

  listen(canvas) {
    const held = new Map();
    let apart = 0;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.0015), this.at(canvas, event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, event);
      apart = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const here = this.at(canvas, event);
      this.pointer = { x: here.x, y: here.y };
      this.line = (event.clientX - canvas.getBoundingClientRect().left) * (devicePixelRatio || 1);
      const before = held.get(event.pointerId);
      if (before) this.drag(canvas, event, before, here.scale, held, (next) => { const was = apart; apart = next; return was; });
      this.draw();
    });
    const release = (event) => { held.delete(event.pointerId); apart = 0; };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => { this.pointer = null; this.line = null; this.draw(); });
    canvas.addEventListener("dblclick", () => { this.fit(); this.draw(); });
  }

  drag(canvas, event, before, scale, held, spread) {
    const [x, y] = [event.clientX - before.clientX, event.clientY - before.clientY];
    held.set(event.pointerId, event);
    if (held.size === 2) {
      const [one, other] = [...held.values()];
      const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const was = spread(apart);
      if (was) this.zoom(apart / was, this.at(canvas, { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 }));
      return;
    }
    const box = canvas.getBoundingClientRect();
    if (event.shiftKey) this.nudge(x / scale, y / scale);
    else if (event.altKey) this.nudge(0, 0, (x / box.width) * 60);
    else if (this.mode === "slider" && Math.abs(before.clientX - box.left - (box.width * this.amount) / 100) < 24) {
      this.amount = Math.max(0, Math.min(100, ((event.clientX - box.left) / box.width) * 100));
      canvas.dispatchEvent(new Event("di:amount", { bubbles: true }));
    } else {
      this.view.x -= x / (this.mode === "unrolled" ? box.width * this.view.zoom : scale);
      this.view.y -= y / scale;
    }
  }
}
