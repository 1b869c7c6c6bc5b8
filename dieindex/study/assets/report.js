"use strict";
(() => {
  const data = JSON.parse(document.getElementById("study-data").textContent);
  const board = document.querySelector(".board");
  if (!board) return;
  const svg = board.querySelector("svg");
  const tip = board.querySelector(".tip");
  const panel = document.querySelector(".panel");
  const full = svg.viewBox.baseVal;
  const page = { w: full.width, h: full.height };
  const view = { x: 0, y: 0, w: page.w, h: page.h };
  const nodes = new Map();
  svg.querySelectorAll("[data-die]").forEach((n) => nodes.set(n.dataset.die, n));
  const edges = [...svg.querySelectorAll("[data-o]")];
  // What belongs to a die: its name, its number, its links.
  const parts = new Map([...nodes.keys()].map((id) => [id, { texts: [], links: [] }]));
  svg.querySelectorAll("[data-name]").forEach((n) => parts.get(n.dataset.name).texts.push(n));
  edges.forEach((n) => { parts.get(n.dataset.o).links.push(n); parts.get(n.dataset.r).links.push(n); });

  const size = () => { const b = svg.getBoundingClientRect(); return { w: b.width || 1, h: b.height || 1, x: b.left, y: b.top }; };
  // Rows of groups out of sight are not drawn: the work grows with what is shown.
  const rows = [...svg.querySelectorAll("g[id^=row]")].map((g) => {
    const b = g.getBBox();
    return { g, top: b.y, bottom: b.y + b.height, drawn: true };
  });
  const show = (all) => {
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    rows.forEach((row) => {
      const seen = all || (row.bottom > view.y - view.h && row.top < view.y + 2 * view.h);
      if (seen !== row.drawn) { row.g.style.display = seen ? "" : "none"; row.drawn = seen; }
    });
  };
  // The box of a frame or die, drawn or not.
  const boxOf = (n) => {
    const value = (name) => Number(n.getAttribute(name)), r = value("r");
    if (r) return { x: value("cx") - r, y: value("cy") - r, width: 2 * r, height: 2 * r };
    return { x: value("x"), y: value("y"), width: value("width"), height: value("height") };
  };
  const clamp = (v, low, high) => Math.min(Math.max(v, Math.min(low, high)), Math.max(low, high));
  const fit = () => {
    // No higher than the chart needs, nor than the window has room for.
    const width = size().w, needed = Math.max(width, 900) * page.h / page.w;
    svg.style.height = Math.max(160, Math.min(needed, window.innerHeight * 0.72, 740)) + "px";
  };
  const clampView = () => {
    const s = size(), ratio = s.h / s.w;
    view.w = clamp(view.w, 120, Math.max(page.w, page.h / ratio) * 1.1);
    view.h = view.w * ratio;
    // Half of the chart, or of the view where that is smaller, stays in sight.
    const least = { w: Math.min(view.w, page.w) / 2, h: Math.min(view.h, page.h) / 2 };
    view.x = clamp(view.x, least.w - view.w, page.w - least.w);
    view.y = clamp(view.y, least.h - view.h, page.h - least.h);
    show();
  };
  const home = () => {
    const s = size();
    // Names stay readable, even on a phone: the rest is a matter of moving about.
    view.w = Math.min(page.w, s.w / 0.75); view.x = 0; view.y = 0;
    if (view.w < 480 && page.w < 480) view.w = page.w;
    clampView();
  };
  const zoom = (factor, cx, cy) => {
    const s = size(), px = cx === undefined ? 0.5 : (cx - s.x) / s.w, py = cy === undefined ? 0.5 : (cy - s.y) / s.h;
    const x = view.x + px * view.w, y = view.y + py * view.h;
    view.w *= factor; clampView();
    view.x = x - px * view.w; view.y = y - py * view.h; clampView();
  };
  const frame = (box, margin) => {
    const s = size();
    view.w = Math.max(box.width + 2 * margin, (box.height + 2 * margin) * s.w / s.h, 300);
    clampView();
    view.x = box.x + box.width / 2 - view.w / 2; view.y = box.y + box.height / 2 - view.h / 2; clampView();
  };

  const fingers = new Map();
  let moved = 0, spread = 0;
  svg.addEventListener("pointerdown", (e) => {
    fingers.set(e.pointerId, [e.clientX, e.clientY]); moved = 0; spread = 0;
    svg.classList.add("held");
  });
  svg.addEventListener("pointermove", (e) => {
    const was = fingers.get(e.pointerId);
    if (!was) { hover(e); return; }
    const s = size();
    if (fingers.size === 1) {
      view.x -= (e.clientX - was[0]) * view.w / s.w; view.y -= (e.clientY - was[1]) * view.h / s.h;
      moved += Math.abs(e.clientX - was[0]) + Math.abs(e.clientY - was[1]);
      if (moved > 6 && !svg.hasPointerCapture(e.pointerId)) svg.setPointerCapture(e.pointerId);
      clampView();
    }
    fingers.set(e.pointerId, [e.clientX, e.clientY]);
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (spread) zoom(spread / now, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
      spread = now; moved = 99;
    }
  });
  const lift = (e) => { fingers.delete(e.pointerId); spread = 0; if (!fingers.size) svg.classList.remove("held"); };
  ["pointerup", "pointercancel", "pointerleave"].forEach((name) => svg.addEventListener(name, lift));
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  svg.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey && !board.classList.contains("active")) return;
    e.preventDefault(); zoom(Math.exp(e.deltaY * 0.0016), e.clientX, e.clientY);
  }, { passive: false });
  document.addEventListener("pointerdown", (e) => board.classList.toggle("active", board.contains(e.target)));

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const coins = (n) => n === 1 ? "1 coin" : `${n} coins`;
  const heading = (die) => `${die.s === "o" ? "Obverse" : "Reverse"} ${die.n}`;
  const pictureOf = (number, side) => {
    const row = document.getElementById("c" + number);
    return row && row.querySelector(`img[data-side="${side}"]`);
  };
  let shown = null;
  const hover = (e) => {
    const target = e.target.closest ? e.target.closest("[data-die], [data-o]") : null;
    if (!target) { tip.hidden = true; shown = null; return; }
    if (target !== shown) {
      shown = target; tip.textContent = "";
      if (target.dataset.die) {
        const die = data.dies[target.dataset.die];
        tip.append(element("b", heading(die)), ` · ${coins(die.c.length)} · group ${die.g}`);
        const row = element("div");
        die.b.slice(0, 3).forEach((number) => {
          const picture = pictureOf(number, die.s);
          if (picture) { const copy = new Image(); copy.alt = ""; copy.src = picture.src; row.append(copy); }
        });
        if (row.childNodes.length) tip.append(row);
      } else {
        const o = data.dies[target.dataset.o], r = data.dies[target.dataset.r];
        const both = o.c.filter((number) => r.c.includes(number)).length;
        tip.append(element("b", `${o.n} – ${r.n}`), ` · ${coins(both)}`);
      }
    }
    tip.hidden = false;
    const b = board.getBoundingClientRect();
    const x = e.clientX - b.left, y = e.clientY - b.top;
    tip.style.left = Math.max(4, Math.min(x + 14, b.width - tip.offsetWidth - 6)) + "px";
    tip.style.top = (y + tip.offsetHeight + 22 > b.height ? Math.max(4, y - tip.offsetHeight - 12) : y + 16) + "px";
  };

  let kept = [];
  const keep = (n) => { n.classList.add("kept"); kept.push(n); };
  // Everything else is dimmed by one class: the work grows with what is shown, not with the chart.
  const mark = (ids, links) => {
    kept.forEach((n) => n.classList.remove("kept", "chosen"));
    kept = [];
    svg.classList.toggle("dim", !!ids);
    if (!ids) return;
    ids.forEach((id) => { keep(nodes.get(id)); parts.get(id).texts.forEach(keep); });
    links.forEach(keep);
  };
  const choose = (id) => {
    const die = data.dies[id];
    const ids = new Set([id]);
    parts.get(id).links.forEach((n) => { ids.add(n.dataset.o); ids.add(n.dataset.r); });
    mark(ids, parts.get(id).links);
    nodes.get(id).classList.add("chosen");
    panel.textContent = "";
    const close = element("button", "close ✕", "close");
    close.addEventListener("click", () => { panel.hidden = true; mark(null); });
    const link = element("a", "catalogue entry");
    link.href = "#d-" + id;
    const words = element("p", `${coins(die.c.length)}, linked group ${die.g}. `, "small");
    words.append(link);
    const list = element("ol", undefined, "coins");
    die.c.forEach((number) => {
      const row = document.getElementById("c" + number);
      if (!row) return;
      const copy = row.cloneNode(true);
      copy.removeAttribute("id"); list.append(copy);
    });
    panel.append(close, element("h3", heading(die)), words, list);
    panel.hidden = false;
  };
  svg.addEventListener("click", (e) => {
    if (moved > 6) return;
    const target = e.target.closest("[data-die]");
    if (target) choose(target.dataset.die); else if (!panel.hidden) { panel.hidden = true; mark(null); }
  });

  // A long group has several frames.
  const groupBox = (number) => {
    const frames = [...svg.querySelectorAll(`rect[data-group="${number}"]`)].map(boxOf);
    if (!frames.length) return null;
    const x = Math.min(...frames.map((f) => f.x)), y = Math.min(...frames.map((f) => f.y));
    return { x, y, width: Math.max(...frames.map((f) => f.x + f.width)) - x, height: Math.max(...frames.map((f) => f.y + f.height)) - y };
  };
  const filter = document.getElementById("filter");
  if (filter) filter.addEventListener("change", () => {
    panel.hidden = true;
    if (!filter.value) { mark(null); home(); return; }
    const ids = new Set(Object.keys(data.dies).filter((id) => String(data.dies[id].g) === filter.value));
    mark(ids, [...ids].flatMap((id) => parts.get(id).links));
    const box = groupBox(filter.value);
    if (box) frame(box, 20);
  });
  const find = document.getElementById("find");
  find.addEventListener("change", () => {
    const exact = find.value.trim(), text = exact.toLowerCase();
    find.setCustomValidity("");
    if (!text) { mark(null); return; }
    const ids = Object.keys(data.dies);
    const named = (test) => ids.find((each) => test(data.dies[each].n));
    const ofCoin = (test) => {
      const number = data.coins.findIndex(test) + 1;
      return number ? ids.find((each) => data.dies[each].c.includes(number)) : undefined;
    };
    const id = named((name) => name === exact) || ofCoin((name) => name === exact)
      || named((name) => name.toLowerCase() === text) || ofCoin((name) => name.toLowerCase() === text)
      || named((name) => name.toLowerCase().includes(text));
    if (!id) { find.setCustomValidity("No die or coin of this name."); find.reportValidity(); return; }
    choose(id);
    frame(boxOf(nodes.get(id)), 220);
  });
  document.getElementById("closer").addEventListener("click", () => zoom(0.7));
  document.getElementById("wider").addEventListener("click", () => zoom(1.4));
  document.getElementById("whole").addEventListener("click", () => { if (filter) filter.value = ""; find.value = ""; panel.hidden = true; mark(null); frame({ x: 0, y: 0, width: page.w, height: page.h }, 0); });
  window.addEventListener("resize", () => { fit(); clampView(); });
  window.addEventListener("afterprint", () => show());
  window.addEventListener("beforeprint", () => {
    show(true);  // the printed strips show the rows
    document.querySelectorAll("img[loading=lazy]").forEach((each) => { each.loading = "eager"; });
  });
  fit();
  home();
})();
