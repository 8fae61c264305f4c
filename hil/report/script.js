"use strict";
// Nothing in the report needs this: it opens, copies, widens and reads off.

function button(text, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = text;
  b.addEventListener("click", () => act(b));
  return b;
}

function tools(...parts) {
  const bar = document.createElement("div");
  bar.className = "tools";
  bar.append(...parts);
  return bar;
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  if (target) target.scrollIntoView();
}

function copying() {
  for (const command of document.querySelectorAll(".command")) {
    command.after(button("Copy", async (b) => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        b.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        b.textContent = "Press Ctrl+C";
      }
    }));
  }
}

function folding() {
  const runs = [...document.querySelectorAll("details.run")];
  const all = (open) => runs.forEach((run) => { run.open = open; });
  if (runs.length) document.querySelector("header").append(tools(button("Open all", () => all(true)), button("Close all", () => all(false))));
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = [...document.querySelectorAll("details:not([open])")];
    shut.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => shut.forEach((fold) => { fold.open = false; }));
}

function widening(drawing, readout) {
  const scroll = drawing.querySelector(".scroll");
  const buttons = [1, 4, 16].map((zoom) => button(`${zoom}×`, (b) => {
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    drawing.style.setProperty("--zoom", zoom);
    scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2;
    buttons.forEach((other) => other.setAttribute("aria-pressed", other === b));
  }));
  buttons[0].setAttribute("aria-pressed", true);
  drawing.before(tools("Width", ...buttons, readout));
}

function points(curve) {
  const { bottom = 0, top, height, name, unit } = curve.dataset;
  const places = [...curve.getAttribute("d").matchAll(/([\d.]+) ([\d.]+)/g)].map((m) => [+m[1] / 10, +m[2]]);
  return { curve, name, unit, places, value: (y) => +bottom + (height - y) / height * (top - bottom) };
}

function nearest(places, x) {
  let low = 0;
  let high = places.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle][0] < x) low = middle; else high = middle;
  }
  return x - places[low][0] < places[high][0] - x ? places[low] : places[high];
}

function isBeside(curve, y) {
  const box = curve.closest("g").getBoundingClientRect();
  return box.top <= y && y <= box.bottom;
}

function reading(drawing, readout) {
  const panels = drawing.classList.contains("telemetry"); // too many to read off all of them at once
  const plot = drawing.querySelector(".plot");
  const first = +drawing.dataset.first;
  const span = +drawing.dataset.last - first;
  const curves = [...plot.querySelectorAll(".curve")].map(points).filter((c) => c.places.length);
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y2", "100%");
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const x = Math.min(100, Math.max(0, 100 * (event.clientX - box.left) / box.width));
    cursor.setAttribute("x1", `${x}%`);
    cursor.setAttribute("x2", `${x}%`);
    plot.append(cursor);
    const said = [new Date(first + span * x / 100).toISOString().slice(11, 23)];
    for (const curve of curves) {
      if (panels && !isBeside(curve.curve, event.clientY)) continue;
      const place = nearest(curve.places, x);
      if (Math.abs(place[0] - x) < 0.5) said.push(`${curve.name} ${curve.value(place[1]).toPrecision(3)} ${curve.unit}`);
    }
    readout.textContent = said.join("  ");
  });
  plot.addEventListener("pointerleave", () => { cursor.remove(); readout.textContent = ""; });
}

openTarget();
addEventListener("hashchange", openTarget);
copying();
folding();
for (const drawing of document.querySelectorAll(".drawing:is(.strip, .telemetry)")) {
  const readout = document.createElement("span");
  readout.className = "readout";
  widening(drawing, readout);
  reading(drawing, readout);
}
