// The map: all files as points in the plane, similar ones close together. Drawn on a canvas; text from the library is only ever drawn or set
// as text.
import * as api from "./api.js";
import { element } from "./cards.js";

const RADIUS = 4;
const LEGEND = 10;
/** Farthest a click or touch may be from a point, in CSS pixels. */
const REACH = 14;
const MAX_ZOOM = 200;
/** Up to this number of files in view are drawn as pictures, others as dots. */
const MAX_PICTURES = 160;
/** Answers of a search that are lit. */
const MAX_LIT = 12;

/** Colors of the most frequent labels, apart from each other also without red and green. */
const HUES = [212, 28, 145, 340, 265, 48, 185, 5, 300, 95];

const $ = (id) => document.getElementById(id);
const canvas = $("map-canvas");
let points = [];
let colors = new Map();
let lit = new Set();
/** Thumbnails by id, kept while the page is open. */
const pictures = new Map();
/** The center, in units of the map, and the magnification. */
let view = { x: 0.5, y: 0.5, zoom: 1 };
let hovered = null;
let open = () => {};
let frame = 0;

/** Fetches the map and shows it; `onOpen` gets the point that was chosen. */
export async function showMap(onOpen) {
  open = onOpen;
  $("map-message").textContent = "Computing the map …";
  const map = await api.map();
  points = filled(map.points);
  const shown = points.length.toLocaleString("en");
  $("map-message").textContent = map.total > points.length
    ? `The first ${shown} of ${map.total.toLocaleString("en")} files. Similar files are close together.`
    : `${shown} files. Similar files are close together.`;
  showLegend();
  draw();
}

/** Points over the whole square, whatever the shape of the map. */
function filled(all) {
  const fit = (axis) => {
    const values = all.map((point) => point[axis]);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return (value) => (value - low) / (high - low || 1);
  };
  const [x, y] = [fit("x"), fit("y")];
  return all.map((point) => ({ ...point, x: x(point.x), y: y(point.y) }));
}

/** Lights the best answers of a search; all points are equal without one. */
export function lightAnswers(ids) {
  lit = new Set(ids.slice(0, MAX_LIT));
  hover(null);
  draw();
}

function showLegend() {
  const counts = new Map();
  for (const { label } of points) if (label) counts.set(label, (counts.get(label) || 0) + 1);
  const labels = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, LEGEND);
  colors = new Map(labels.map(([label], i) => [label, HUES[i]]));
  $("map-legend").replaceChildren(...labels.map(([label, n]) => {
    const dot = element("span", { className: "dot" });
    dot.style.background = color(label);
    return element("li", {}, [dot, `${label} (${n})`]);
  }));
}

function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

function color(label) {
  const light = isDark() ? 66 : 42;
  return colors.has(label) ? `hsl(${colors.get(label)} 70% ${light}%)` : `hsl(220 8% ${isDark() ? 55 : 60}%)`;
}

/** Pixels per unit of the map; its axes mean nothing, so it fills the canvas. */
function scale() {
  return [0.86 * canvas.clientWidth * view.zoom, 0.86 * canvas.clientHeight * view.zoom];
}

function toScreen(point) {
  const [across, down] = scale();
  return [canvas.clientWidth / 2 + (point.x - view.x) * across, canvas.clientHeight / 2 + (point.y - view.y) * down];
}

/** The thumbnail of a point, once it has arrived. */
function picture(point) {
  let image = pictures.get(point.id);
  if (!image) {
    image = new Image();
    image.onload = draw;
    image.src = api.thumbnailUrl(point.id, 128);
    pictures.set(point.id, image);
  }
  return image.complete && image.naturalWidth ? image : null;
}

function draw() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(drawNow);
}

function drawNow() {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  const margin = 40;
  const isVisible = ([x, y]) => x > -margin && y > -margin && x < width + margin && y < height + margin;
  const visible = points.map((point) => ({ point, at: toScreen(point) })).filter(({ at }) => isVisible(at));
  const areSmall = points.length > 3000;
  radius = RADIUS * Math.min(2.5, Math.sqrt(view.zoom)) * (areSmall ? 0.6 : 1);
  size = visible.length <= MAX_PICTURES ? Math.min(96, Math.max(30, 0.6 * Math.sqrt(width * height / (visible.length + 1)))) : 0;
  $("map-legend").hidden = size > 0;
  // Lit ones last, so that nothing hides them.
  const isLit = ({ point }) => !lit.size || lit.has(point.id);
  for (const shown of [...visible.filter((other) => !isLit(other)), ...visible.filter(isLit)]) {
    context.globalAlpha = isLit(shown) ? 1 : 0.2;
    drawPoint(context, shown);
  }
  context.globalAlpha = 1;
  if (hovered) ring(context, toScreen(hovered), 3, isDark() ? "#fff" : "#111");
}

/** Radius of a dot, and size of a picture; 0 if there are too many. */
let radius = RADIUS;
let size = 0;

function drawPoint(context, { point, at: [x, y] }) {
  const image = size && picture(point);
  if (image) {
    context.drawImage(image, x - size / 2, y - size / 2, size, size);
    if (lit.has(point.id)) ring(context, [x, y], 2, isDark() ? "#8fb2ff" : "#2456d6");
    return;
  }
  context.fillStyle = color(point.label);
  context.beginPath();
  context.arc(x, y, lit.has(point.id) ? radius * 1.6 : radius, 0, 2 * Math.PI);
  context.fill();
}

function ring(context, [x, y], lineWidth, strokeStyle) {
  Object.assign(context, { lineWidth, strokeStyle });
  context.beginPath();
  context.arc(x, y, size ? 0.62 * size : radius * 1.6 + 2, 0, 2 * Math.PI);
  context.stroke();
}

/** The point nearest to a place on the screen, within reach; lit ones before others. */
function pointAt(x, y) {
  const reach = Math.max(REACH, size / 2);
  let best = null;
  for (const point of points) {
    const [px, py] = toScreen(point);
    const distance = Math.hypot(px - x, py - y) * (lit.size && !lit.has(point.id) ? 1.5 : 1);
    if (distance <= reach && (!best || distance < best.distance)) best = { point, distance };
  }
  return best && best.point;
}

function hover(point) {
  if (point === hovered) return;
  hovered = point;
  const card = $("map-card");
  card.hidden = !point;
  canvas.style.cursor = point ? "pointer" : "";
  if (point) {
    const name = point.path.split("/").pop();
    card.replaceChildren(
      element("img", { src: api.thumbnailUrl(point.id, 128), alt: "", width: 96, height: 96 }),
      element("span", { className: "name", textContent: name }),
      element("span", { className: "muted", textContent: point.label || "" }),
    );
    const [x, y] = toScreen(point);
    card.style.left = `${Math.min(Math.max(8, x + 14), Math.max(8, canvas.clientWidth - 150))}px`;
    card.style.top = `${Math.min(Math.max(8, y + 14), Math.max(8, canvas.clientHeight - 160))}px`;
    $("map-chosen").textContent = point.label ? `${name}, ${point.label}` : name;
  }
  draw();
}

function zoomAt(x, y, factor) {
  const zoom = Math.min(MAX_ZOOM, Math.max(0.5, view.zoom * factor));
  // What is under the pointer stays there.
  const [across, down] = scale();
  const kept = 1 - view.zoom / zoom;
  const [dx, dy] = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
  view = { x: view.x + kept * dx / across, y: view.y + kept * dy / down, zoom };
  hover(null);
  draw();
}

function move(dx, dy) {
  const [across, down] = scale();
  view = { ...view, x: view.x - dx / across, y: view.y - dy / down };
  draw();
}

function reset() {
  view = { x: 0.5, y: 0.5, zoom: 1 };
  hover(null);
  draw();
}

/** Moves to the next point in a direction, as arrow keys move between cards. */
function step(dx, dy) {
  const [x, y] = hovered ? toScreen(hovered) : [canvas.clientWidth / 2, canvas.clientHeight / 2];
  let best = null;
  for (const point of points) {
    const [px, py] = toScreen(point);
    const along = (px - x) * dx + (py - y) * dy;
    const across = Math.abs((px - x) * dy - (py - y) * dx);
    if (point === hovered || along <= 0.5 || across > along) continue;
    const cost = along + 2 * across;
    if (!best || cost < best.cost) best = { point, cost, px, py };
  }
  if (!best) return;
  const margin = 40;
  if (best.px < margin || best.py < margin || best.px > canvas.clientWidth - margin || best.py > canvas.clientHeight - margin) {
    view = { ...view, x: best.point.x, y: best.point.y };
  }
  hover(best.point);
}

// Pointers: one moves, two zoom. A pointer that hardly moved was a click.
const pointers = new Map();
let moved = 0;
const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, place(event));
  moved = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = place(event);
  const last = pointers.get(event.pointerId);
  if (!last) return hover(pointAt(x, y));
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  if (others.length) {
    const [ox, oy] = others[0];
    const factor = Math.hypot(x - ox, y - oy) / Math.max(1, Math.hypot(last[0] - ox, last[1] - oy));
    zoomAt((x + ox) / 2, (y + oy) / 2, factor);
    moved = Infinity;
  } else {
    moved += Math.hypot(x - last[0], y - last[1]);
    if (moved > 4) {
      hover(null);
      move(x - last[0], y - last[1]);
    }
  }
  pointers.set(event.pointerId, [x, y]);
});
canvas.addEventListener("pointerup", (event) => {
  pointers.delete(event.pointerId);
  const point = moved <= 4 && pointAt(...place(event));
  if (point) open(point);
});
canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("pointerleave", () => hover(null));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomAt(...place(event), Math.exp(-event.deltaY / (event.deltaMode ? 10 : 400)));
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const center = [canvas.clientWidth / 2, canvas.clientHeight / 2];
  const actions = {
    ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1), ArrowDown: () => step(0, 1),
    "+": () => zoomAt(...center, 1.4), "-": () => zoomAt(...center, 1 / 1.4), 0: reset,
    Enter: () => hovered && open(hovered), " ": () => hovered && open(hovered), Escape: () => hover(null),
  };
  if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  actions[event.key]();
});
new ResizeObserver(draw).observe(canvas);
new MutationObserver(() => { showLegend(); draw(); }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
