// One file: its shape in 3D, what is known about it, and similar shapes.
import * as api from "./api.js";
import { card, element } from "./cards.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
let viewer = null;
let shown = null;
let onLike = () => {};

/** Opens the dialog; `like` is called to search for similar shapes. */
export function openDetail(answer, like) {
  onLike = like;
  $("detail").showModal();
  show(answer);
}

async function show(answer) {
  shown = answer;
  const { id, path } = answer;
  $("detail").scrollTop = 0;
  $("detail-title").textContent = path.split("/").pop();
  $("detail-path").textContent = path;
  $("download").href = api.fileUrl(id);
  $("copy").textContent = "Copy path";
  for (const list of ["labels", "table", "problems", "similar"]) $(list).replaceChildren();
  showShape(id);
  const isShown = () => shown?.id === id;
  const failed = (problem) => { if (isShown()) $("problems").append(element("li", { textContent: problem.message })); };
  api.asset(id).then((details) => isShown() && showFacts(details)).catch(failed);
  api.labels(id).then(({ labels }) => isShown() && showLabels(labels)).catch(failed);
  api.similar(id).then(({ answers }) => isShown() && $("similar").append(...answers.map((other) => card(other, show)))).catch(failed);
}

/** The shape in WebGL; views rendered by the server if it is too large, or without WebGL. */
async function showShape(id) {
  $("stage-message").textContent = "Loading …";
  forgetStill();
  $("canvas").hidden = false;
  const isShown = () => shown?.id === id;
  try {
    viewer ??= new Viewer($("canvas"));
    viewer.clear();
    const buffers = await api.mesh(id);
    if (!isShown()) return;
    await viewer.load(buffers, isShown);
    if (!isShown()) return;
    $("stage-message").textContent = "";
    $("up").value = "y";
    setWireframe(false);
  } catch (problem) {
    if (isShown()) showStill(id, problem);
  }
}

let still = null;
let stillTimer = 0;

/** There is nothing that turns: no view, or only the thumbnail. */
function stopTurning() {
  clearTimeout(stillTimer);
  still = null;
  $("still").onerror = null;
}

/** Hides the rendered view. */
function forgetStill() {
  stopTurning();
  $("still").hidden = true;
  $("still").removeAttribute("src");
}

function showStill(id, problem) {
  still = { azimuth: 25, elevation: 20 };
  $("canvas").hidden = true;
  $("still").hidden = false;
  $("still").tabIndex = 0;
  $("still").onerror = () => {
    stopTurning();
    $("still").src = api.thumbnailUrl(id, 512);
    $("stage-message").textContent = problem.message;
  };
  $("still").src = api.viewUrl(id, still.azimuth, still.elevation);
  $("still").alt = "Rendered view; arrow keys turn it";
  // 422: too large for the browser, or the file cannot be used. Then the view fails too, and its error is shown.
  $("stage-message").textContent = problem.status === 422 ? "Too large for the browser: drag to see it from other sides." : "";
}

function turnStill(right, up) {
  if (!still || !shown) return;
  still.azimuth = (still.azimuth + right) % 360;
  still.elevation = Math.max(-90, Math.min(90, still.elevation + up));
  clearTimeout(stillTimer);
  stillTimer = setTimeout(() => { $("still").src = api.viewUrl(shown.id, still.azimuth, still.elevation); }, 60);
}

function showLabels(labels) {
  const likely = labels.filter(({ score }, i) => i === 0 || score > 0.1).slice(0, 3);
  $("labels").replaceChildren(...likely.map(({ label, score }) => element("li", { textContent: `${label} ${(100 * score).toFixed(0)} %` })));
}

function showFacts(details) {
  const number = (n) => n.toLocaleString("en");
  const rows = [
    ["Caption", details.caption || ""],
    ["Format", details.format.toUpperCase()],
    ["Size", details.bytes ? `${number(details.bytes)} bytes` : ""],
    ["Triangles", details.triangles ? number(details.triangles) : ""],
    ["Vertices", details.vertices ? number(details.vertices) : ""],
    ["Points", details.points ? number(details.points) : ""],
    ["Extents", details.extents.some(Boolean) ? details.extents.map((edge) => Number(edge.toPrecision(4)).toLocaleString("en")).join(" × ") : ""],
    ["Parts", details.objects.slice(0, 8).join(", ")],
    ["Materials", details.materials.slice(0, 8).join(", ")],
    ["Modified", details.modified ? new Date(1000 * details.modified).toLocaleString() : ""],
  ];
  $("table").replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) =>
    [element("dt", { textContent: name }), element("dd", { textContent: value })]));
  shown.file = details.file;
  $("download").hidden = !details.file;
  $("problems").append(...(details.extra.notes || []).map((note) => element("li", { textContent: `Note: ${note}` })));
}

function setWireframe(on) {
  $("wireframe").setAttribute("aria-pressed", String(on));
  viewer?.setWireframe(on);
}

function setTurning(on) {
  $("turning").setAttribute("aria-pressed", String(on));
  viewer?.setTurning(on);
}

const stage = document.querySelector(".stage");

function setBackground(name) {
  stage.dataset.background = name;
  $("background").value = name;
}

setBackground(localStorage.getItem("background") || "");
$("background").addEventListener("change", () => {
  localStorage.setItem("background", $("background").value);
  setBackground($("background").value);
});
$("turning").addEventListener("click", () => setTurning($("turning").getAttribute("aria-pressed") !== "true"));
$("wireframe").addEventListener("click", () => setWireframe($("wireframe").getAttribute("aria-pressed") !== "true"));
$("up").addEventListener("change", () => viewer?.setUp($("up").value));
$("reset").addEventListener("click", () => viewer?.reset());
$("close").addEventListener("click", () => $("detail").close());
$("detail").addEventListener("click", (event) => { if (event.target === $("detail")) $("detail").close(); });
$("detail").addEventListener("close", () => { shown = null; setTurning(false); forgetStill(); viewer?.clear(); });
$("like").addEventListener("click", () => {
  const like = shown;
  $("detail").close();
  onLike(like);
});
$("copy").addEventListener("click", async () => {
  const path = shown.file || shown.path;
  try {
    await navigator.clipboard.writeText(path);
    $("copy").textContent = "Copied";
  } catch {
    // Without HTTPS, browsers have no clipboard for pages of other machines.
    $("detail-path").textContent = path;
    getSelection().selectAllChildren($("detail-path"));
  }
});
$("canvas").addEventListener("keydown", (event) => {
  const button = { w: "wireframe", t: "turning" }[event.key.toLowerCase()];
  if (button && !event.ctrlKey && !event.metaKey) $(button).click();
});
$("still").addEventListener("pointermove", (event) => { if (event.buttons) turnStill(-event.movementX / 3, event.movementY / 3); });
$("still").addEventListener("dragstart", (event) => event.preventDefault());
$("still").addEventListener("keydown", (event) => {
  const turn = { ArrowLeft: [-15, 0], ArrowRight: [15, 0], ArrowUp: [0, 15], ArrowDown: [0, -15] }[event.key];
  if (turn) { event.preventDefault(); turnStill(...turn); }
});
