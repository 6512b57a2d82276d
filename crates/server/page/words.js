// Filters in a person's words: "a chair under 5 MB", "glb", "less than 10k triangles".

const LESS = "under|below|less than|fewer than|smaller than|at most|up to";
const MORE = "over|above|more than|larger than|bigger than|at least";
const NUMBER = "(\\d+(?:[.,]\\d+)?)\\s*";
const UNITS = { k: "k", m: "M", g: "G" };
const COUNTED = { triangle: "triangles", face: "triangles", polygon: "triangles", poly: "triangles", vertice: "vertices", vert: "vertices", point: "points" };

/** `< 5 MB`: an operator of `where` for a comparison in words. */
const operator = (words) => new RegExp(`^(?:${LESS})$`, "i").test(words) ? (/most|up to/i.test(words) ? "<=" : "<") : (/least/i.test(words) ? ">=" : ">");

const number = (digits) => digits.replace(",", ".");

/** What is recognized: the expression, and what it becomes. `formats` are those of the library. */
function patterns(formats) {
  // Not "scene" and "views", which are words.
  const short = formats.filter((format) => /^\w{2,4}$/.test(format));
  const known = short.length ? `(?:${short.join("|")})` : "(?!)";
  return [
    [`\\b(${LESS}|${MORE})\\s+${NUMBER}(kb|mb|gb)\\b`, ([, words, digits, unit]) => `bytes ${operator(words)} ${number(digits)}${UNITS[unit[0].toLowerCase()]}`],
    [`\\b(${LESS}|${MORE})\\s+${NUMBER}(k|m)?\\s*(triangle|face|polygon|poly|vertice|vert|point)(?:s|y)?s?\\b`,
      ([, words, digits, unit, kind]) => `${COUNTED[kind.toLowerCase()]} ${operator(words)} ${number(digits)}${unit ? UNITS[unit.toLowerCase()] : ""}`],
    [`(?:\\b(?:as|in|only)\\s+)?\\.?\\b(${known})\\b(?:\\s+files?\\b)?`, ([, format]) => `format = '${format.toLowerCase()}'`],
    ["\\b(?:in|from)(?:\\s+the)?\\s+folder\\s+([\\w./-]+)", ([, folder]) => `path ~ '${folder.replace(/\/$/, "")}/*'`],
  ];
}

/** The filters that a text names, and the text without them. Phrases in `kept` stay words. */
export function filtersIn(text, formats, kept = new Set()) {
  const chips = [];
  let rest = text;
  for (const [source, where] of patterns(formats)) {
    rest = rest.replace(new RegExp(source, "gi"), (...found) => {
      const phrase = found[0].trim();
      if (kept.has(phrase.toLowerCase())) return found[0];
      chips.push({ phrase, where: where(found) });
      return " ";
    });
  }
  // "a chair and under 5 MB" leaves a word that joined nothing.
  rest = rest.replace(/\s+/g, " ").trim();
  return { text: chips.length ? rest.replace(/(?:,|\b(?:and|with|of|in|as)\b)\s*$/i, "").trim() : rest, chips };
}
