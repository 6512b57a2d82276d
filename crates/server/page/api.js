// The HTTP API, by paths relative to the page: it works below any path of a proxy.

/** A problem details object (RFC 9457) as an error. */
export class Problem extends Error {
  constructor(status, detail, hint) {
    super(detail);
    this.status = status;
    this.hint = hint;
  }
}

/** Sends a request; a response that is no success is a Problem. */
async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer.", "Is it still running?");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Problem(response.status, problem.detail || response.statusText, problem.hint);
}

const json = async (path, options) => (await request(path, options)).json();

const post = (path, body, signal) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

export const stats = () => json("v1/stats");
export const map = () => json("v1/map");
export const search = async (query, signal) => (await post("v1/search", query, signal)).json();
export const asset = (id) => json(`v1/assets/${id}`);
export const labels = (id) => json(`v1/assets/${id}/labels`);
export const similar = (id) => json(`v1/assets/${id}/similar?k=12`);
export const mesh = async (id) => (await request(`v1/assets/${id}/mesh`)).arrayBuffer();
export const logIn = (token) => post("v1/session", { token });
export const upload = (file) =>
  json(`v1/uploads?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });

export const thumbnailUrl = (id, size) => `v1/assets/${id}/thumbnail.png?size=${size}`;
export const fileUrl = (id) => `v1/assets/${id}/file`;
export const viewUrl = (id, azimuth, elevation) =>
  `v1/assets/${id}/view.png?azimuth=${azimuth.toFixed(0)}&elevation=${elevation.toFixed(0)}&size=640`;
