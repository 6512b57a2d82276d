// Elements, and the cards that stand for files.
import * as api from "./api.js";

/** An element with properties and children; text is never parsed as HTML. */
export function element(tag, properties = {}, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const size = (bytes) => {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < 3) { bytes /= 1000; unit += 1; }
  return `${bytes < 10 && unit ? bytes.toFixed(1) : bytes.toFixed(0)} ${units[unit]}`;
};

/** A card of the grid, or of the strip of similar shapes. */
export function card(answer, open) {
  const parts = answer.path.split("/");
  const name = parts.pop();
  const image = element("img", { src: api.thumbnailUrl(answer.id, 256), loading: "lazy", decoding: "async", alt: "", width: 256, height: 256 });
  image.addEventListener("error", () => image.replaceWith(element("div", { className: "blank" })), { once: true });
  const about = element("span", { className: "about" }, [
    element("span", { className: "name", textContent: name, title: answer.path }),
    element("span", { className: "facts" }, [
      element("span", { textContent: parts.join("/") || answer.format.toUpperCase() }),
      element("span", { textContent: answer.score === undefined ? size(answer.bytes) : answer.score.toFixed(2), title: answer.score === undefined ? "" : "cosine similarity" }),
    ]),
  ]);
  if (answer.score !== undefined) {
    about.append(element("meter", { min: 0, max: 1, value: Math.max(0, answer.score), ariaLabel: "similarity" }));
  }
  const button = element("button", { className: "card", type: "button" }, [image, about]);
  button.addEventListener("click", () => open(answer));
  const item = element("li", {}, [button]);
  item.dataset.id = answer.id;
  return item;
}

/** Says on a card that another file has the same content. */
export function addCopy(item, answer) {
  let badge = item.querySelector(".copies");
  if (!badge) {
    badge = element("span", { className: "copies" });
    item.querySelector(".about").append(badge);
  }
  const paths = badge.title ? `${badge.title}\n${answer.path}` : answer.path;
  const count = paths.split("\n").length;
  Object.assign(badge, { title: paths, textContent: count === 1 ? "1 copy" : `${count} copies` });
}
