// The search: terms, options, results. Text from the library is only ever set as text, never as HTML.
import * as api from "./api.js";
import { addCopy, card, element } from "./cards.js";
import { openDetail } from "./dialog.js";
import { lightAnswers, showMap } from "./map.js";
import { filtersIn } from "./words.js";

const PAGE = 48;
const DEBOUNCE_MS = 180;
const $ = (id) => document.getElementById(id);

/** Terms that are not text: { kind: "upload" | "like", id, name, preview }. */
let terms = [];
let offset = 0;
let timer = 0;
let pending = null;
/** The request whose answers are shown, and the answers. */
let answered = null;
let shown = [];
/** Formats of the library, and phrases that look like filters and are meant as words. */
let formats = [];
const words = new Set();

const count = (n) => n.toLocaleString("en");

/** The request for what is entered. Words after a minus are unwanted: `a chair -metal`; "under 5 MB" is a filter. */
function query() {
  const { text, chips } = filtersIn($("text").value, formats, words);
  showChips(chips);
  const parts = text.split(/\s+/);
  const isUnwanted = (part) => /^-[^\d\s]/.test(part);
  const unwanted = parts.filter(isUnwanted).map((part) => part.slice(1));
  const filters = [
    $("where").value.trim() && `(${$("where").value.trim()})`,
    $("format").value && `format = '${$("format").value}'`,
    ...chips.map((chip) => chip.where),
  ];
  return {
    text: parts.filter((part) => !isUnwanted(part)).join(" ").trim() || null,
    not: [...unwanted, ...$("not").value.split(",")].map((word) => word.trim()).filter(Boolean),
    like: terms.filter((term) => term.kind === "like").map((term) => term.id),
    uploads: terms.filter((term) => term.kind === "upload").map((term) => term.id),
    where: filters.filter(Boolean).join(" and ") || null,
    k: PAGE,
    offset,
  };
}

const isRanked = (asked) => Boolean(asked.text || asked.not.length || asked.like.length || asked.uploads.length);

/** Searches from the first answer. */
async function search() {
  offset = 0;
  const asked = query();
  remember(asked);
  await show(asked, true);
}

async function show(asked, isNew) {
  pending?.abort();
  const request = new AbortController();
  pending = request;
  if (isNew) {
    $("results").classList.add("stale");
    // The next page of the new query would come after the answers of the old one.
    $("more").hidden = true;
  }
  try {
    const found = await api.search(asked, request.signal);
    if (pending !== request) return;
    if (isNew) $("results").replaceChildren();
    offset = asked.offset + found.answers.length;
    answered = asked;
    shown = isNew ? found.answers : [...shown, ...found.answers];
    showAnswers(found.answers);
    light();
    $("more").hidden = !found.more || found.answers.length < PAGE;
    explain(asked, found);
    $("where").removeAttribute("aria-invalid");
  } catch (problem) {
    if (problem.name === "AbortError") return;
    await fail(problem, asked);
  } finally {
    if (pending === request) {
      pending = null;
      $("results").classList.remove("stale");
    }
  }
}

/** Cards of answers; files with the same content as one that is shown are copies on its card. */
function showAnswers(answers) {
  for (const answer of answers) {
    const first = shown.find((other) => other.content_hash === answer.content_hash);
    if (answer.content_hash && first !== answer) {
      const known = $("results").querySelector(`[data-id="${first.id}"]`);
      if (known) {
        addCopy(known, answer);
        continue;
      }
    }
    $("results").append(card(answer, detail));
  }
}

/** Lights the best answers on the map; a list lights nothing. */
function light() {
  if (!$("map").hidden) lightAnswers(answered && isRanked(answered) ? shown.map((answer) => answer.id) : []);
}

/** Shows the map above the results, or hides it. */
async function toggleMap() {
  const isOpen = $("map").hidden;
  $("map").hidden = !isOpen;
  $("map-button").setAttribute("aria-pressed", String(isOpen));
  if (!isOpen) return;
  try {
    await showMap(async (point) => {
      const known = shown.find((answer) => answer.id === point.id);
      try {
        detail(known || await api.asset(point.id));
      } catch (problem) {
        await fail(problem, {});
      }
    });
    light();
  } catch (problem) {
    await fail(problem, {});
    $("map-message").textContent = problem.message;
  }
}

/** Says what was found, and how far to trust it. */
function explain(asked, found) {
  const notes = found.corrections.map(({ typed, corrected }) => [`Searched names for “${corrected}”`, `You typed “${typed}”.`]);
  if (found.answers.length && found.low_confidence) {
    const unknown = found.unknown_texts.map((text) => `The model does not understand “${text}”. Try other words, in English.`);
    notes.push(["No close match. The nearest are:", unknown.join(" ")]);
  }
  $("notes").replaceChildren(...notes.map(([title, text]) =>
    element("p", { className: "note" }, [element("strong", { textContent: title }), text])));
  const files = `${count(found.searched)} ${found.searched === 1 ? "file" : "files"}`;
  if (!found.answers.length && asked.offset === 0) {
    $("message").textContent = found.searched ? "Nothing found." : "No files match the filter.";
  } else if (isRanked(asked)) {
    $("message").textContent = `The best ${count(offset)} of ${files}, best first`;
  } else {
    $("message").textContent = offset < found.searched ? `${count(offset)} of ${files}` : files;
  }
}

async function fail(problem, asked) {
  if (problem.status === 401) return logIn();
  // A filter that is not complete yet is no reason to clear the results.
  if (problem.status === 400 && asked.where) $("where").setAttribute("aria-invalid", "true");
  $("message").textContent = [problem.message, problem.hint].filter(Boolean).join(" · ");
}

/** Keeps the query in the address, for the history and for sharing. */
function remember(asked) {
  const address = new URLSearchParams();
  if ($("text").value.trim()) address.set("q", $("text").value.trim());
  if ($("not").value.trim()) address.set("not", $("not").value.trim());
  if ($("format").value) address.set("format", $("format").value);
  if ($("where").value.trim()) address.set("where", $("where").value.trim());
  asked.like.forEach((id) => address.append("like", id));
  const text = address.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
  document.title = asked.text ? `${asked.text} · Lexiform` : "Lexiform";
}

function recall() {
  const address = new URLSearchParams(location.search);
  $("text").value = address.get("q") || "";
  $("not").value = address.get("not") || "";
  $("where").value = address.get("where") || "";
  chooseFormat(address.get("format") || "");
  terms = address.getAll("like").filter((id) => /^[0-9a-f]{16}$/.test(id)).map((id) => ({ kind: "like", id, name: "like this", preview: api.thumbnailUrl(id, 64) }));
  showTerms();
}

/** Also one of which the library has no files: the query stays what it is. */
function chooseFormat(format) {
  if (format && ![...$("format").options].some((option) => option.value === format)) $("format").append(new Option(format.toUpperCase(), format));
  $("format").value = format;
}

/** Filters that were found in the text; without one of them, its words are searched for. */
function showChips(chips) {
  $("chips").replaceChildren(...chips.map((chip) => {
    const remove = element("button", { type: "button", textContent: "×", ariaLabel: `Search for the words “${chip.phrase}” instead` });
    remove.addEventListener("click", () => {
      words.add(chip.phrase.toLowerCase());
      $("text").focus();
      search();
    });
    return element("li", { className: "term", title: chip.where }, [element("span", { textContent: chip.phrase }), remove]);
  }));
}

function showTerms() {
  $("terms").replaceChildren(...terms.map((term) => {
    const remove = element("button", { type: "button", textContent: "×", ariaLabel: `Remove ${term.name}` });
    remove.addEventListener("click", () => {
      terms = terms.filter((other) => other !== term);
      showTerms();
      $("text").focus();
      search();
    });
    const preview = term.preview ? [element("img", { src: term.preview, alt: "" })] : [];
    return element("li", { className: "term", title: term.name }, [...preview, element("span", { textContent: term.name }), remove]);
  }));
}

async function addFiles(files) {
  for (const file of files) {
    $("message").textContent = `Reading ${file.name} …`;
    try {
      const uploaded = await api.upload(file);
      const preview = uploaded.kind === "image" ? URL.createObjectURL(file) : null;
      terms = [...terms.filter((term) => term.id !== uploaded.id), { kind: "upload", id: uploaded.id, name: uploaded.name, preview }];
    } catch (problem) {
      await fail(problem, {});
      return;
    }
  }
  showTerms();
  if (files.length) await search();
}

function detail(answer) {
  openDetail(answer, (like) => {
    terms = [...terms.filter((term) => term.kind !== "like"), { kind: "like", id: like.id, name: like.path.split("/").pop(), preview: api.thumbnailUrl(like.id, 64) }];
    $("text").value = "";
    showTerms();
    scrollTo({ top: 0 });
    search();
  });
}

function logIn() {
  $("login").showModal();
}

async function start() {
  recall();
  const searched = search();
  try {
    const facts = await api.stats();
    $("library").textContent = `${facts.name} · ${count(facts.records)} ${facts.records === 1 ? "file" : "files"}`;
    $("library").title = `model ${facts.model}`;
    const chosen = $("format").value;
    const byNumber = Object.entries(facts.formats).sort((a, b) => b[1] - a[1]);
    formats = byNumber.map(([name]) => name);
    $("format").replaceChildren(new Option("any", ""), ...byNumber.map(([name, n]) => new Option(`${name.toUpperCase()} (${count(n)})`, name)));
    chooseFormat(chosen);
  } catch (problem) {
    if (problem.status !== 401) $("message").textContent = problem.message;
  }
  await searched;
  // What is a format is known only now.
  if (filtersIn($("text").value, formats, words).chips.length) await search();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

const system = matchMedia("(prefers-color-scheme: dark)");
setTheme(localStorage.getItem("theme") || (system.matches ? "dark" : "light"));
system.addEventListener("change", () => localStorage.getItem("theme") || setTheme(system.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  setTheme(theme);
});

const soon = () => {
  clearTimeout(timer);
  timer = setTimeout(search, DEBOUNCE_MS);
};
for (const id of ["text", "not", "where"]) $(id).addEventListener("input", soon);
$("format").addEventListener("change", search);
$("map-button").addEventListener("click", toggleMap);
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
$("more").addEventListener("click", async () => {
  if (pending || !answered) return;
  const first = $("results").children.length;
  // Not what is entered by now, which may be another query.
  await show({ ...answered, offset }, false);
  $("results").children[first]?.firstElementChild.focus();
});
$("file").addEventListener("change", () => {
  const files = [...$("file").files];
  $("file").value = "";
  addFiles(files);
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) addFiles(files);
});
let depth = 0;
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; $("drop").hidden = false; } });
addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); $("drop").hidden = depth === 0; });
addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  depth = 0;
  $("drop").hidden = true;
  addFiles([...event.dataTransfer.files]);
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|select|textarea)$/i.test(event.target.tagName) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    $("text").select();
  }
});
// Arrow keys move between cards; how many are in a row depends on the window.
$("results").addEventListener("keydown", (event) => {
  const cards = [...$("results").querySelectorAll(".card")];
  const at = cards.indexOf(document.activeElement);
  if (at < 0) return;
  const columns = cards.filter((other) => other.offsetTop === cards[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (!step) return;
  event.preventDefault();
  (cards[at + step] || (step < 0 && $("text")) || cards[at]).focus();
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    event.preventDefault();
    $("results").querySelector(".card")?.focus();
  }
});
$("login").addEventListener("cancel", (event) => event.preventDefault());
$("login").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await api.logIn($("token").value);
    $("login").close();
    start();
  } catch (problem) {
    $("login-message").textContent = problem.message;
  }
});
start();
