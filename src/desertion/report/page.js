"use strict";
/* Every number and every mark opens its card. All published numbers stand in the page once, as rows that readers without
   scripts see too; the script reads them. Text of the data goes into the page as text nodes only. */
const stored = new DOMParser().parseFromString(document.querySelector("#all noscript").textContent, "text/html");
const columns = [...stored.querySelectorAll("table:not(#pages) thead th")].map((cell) => cell.textContent);
const [ID, PRINTED, MEASURE, OFFENCE, PERIOD, COMPILER, PAGE, PUBLISHED, USE, , DETAILS] = columns.keys();
const rows = [...stored.querySelectorAll("table:not(#pages) > tbody:not(#events) > tr")];
const known = new Map([...rows, ...stored.querySelectorAll("#events > tr")].map((row) => [row.id, row]));
const pages = new Map([...stored.querySelectorAll("#pages > tbody > tr")].map((row) => ["#" + row.id, row]));
const pageOf = new Map();
for (const row of known.values()) { // straight to the page that prints the number
  const link = row.cells[PAGE].firstChild, page = pages.get(link.getAttribute("href")), to = page.querySelector("a[rel]");
  pageOf.set(row, page);
  if (to) { link.href = to.href; link.rel = "noreferrer"; } else link.replaceWith(link.textContent);
}
const isPhone = matchMedia("(max-width: 40rem)");

/** An element with attributes (`on…` are listeners) and children; a text is a text node. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== "" && child !== undefined));
  return element;
}
const cut = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
const text = (id, column) => known.get(id).cells[column].textContent;
/** A published number in one line: what it counts, when, and who counted it. */
const line = (id) => cut([PRINTED, MEASURE, OFFENCE, PERIOD, COMPILER].map((n) => text(id, n)).filter(Boolean).join(", "), 200);
const ids = (element) => (element.dataset.ids || "").split(" ").filter((id) => known.has(id));
const button = (words, action) => make("button", { type: "button", onclick: action }, words);

/** Save a text or a blob as a file. */
function save(name, type, content) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Unfold what an element stands in, and the element if it is a fold; whether anything was folded. */
function reveal(element) {
  let folded = false;
  for (let each = element; each; each = each.parentElement) if (each.matches("details:not([open])")) folded = each.open = true;
  return folded;
}

/* --- the card ------------------------------------------------------------------------------------------------------ */

const card = document.getElementById("card");
const tip = document.getElementById("tip");
let anchor = null; // what the card is of

/** Names and words of a row: its cells, then its details, in which ids are links. */
function facts(id, back, more) {
  const row = known.get(id), out = [];
  const add = (name, ...values) => values.some(Boolean) && out.push(make("dt", {}, name), make("dd", {}, ...values));
  columns.forEach((name, n) => {
    const cell = row.cells[n];
    if (n === PAGE) add(name, ...[...cell.childNodes].map((each) => each.cloneNode(true)), ...archived(row));
    else if (n === USE) add(cell.textContent === "used" ? "" : name, cell.textContent === "used" ? "" : cell.textContent);
    else if (n > PRINTED && n < DETAILS) add(name, cell.textContent);
  });
  for (const name of row.cells[DETAILS].querySelectorAll("b")) if (!(more && name.textContent === "Also published")) add(name.textContent, ...linked(name.nextSibling.data.trim(), back));
  return make("dl", {}, ...out);
}

function archived(row) {
  const copy = pageOf.get(row).cells[3].querySelector("a");
  return copy ? [" (", copy.cloneNode(true), " in an archive)"] : [];
}

const linked = (words, back) => words.split(/\b((?:F|ctx)\d{3,}\b)/).map((part) => (known.has(part) ? other(part, part, back) : part));

/** A link to another number inside the card; `back` fills the card as it was. */
const other = (id, words, back) => make("a", { href: "#" + id, onclick: (event) => {
  event.preventDefault();
  fill(() => [...(back ? [make("p", {}, link("Back", () => fill(back)))] : []), ...published([id], text(id, PRINTED))]);
} }, words);
const link = (words, action) => make("a", { href: "#card", onclick: (event) => { event.preventDefault(); action(); } }, words);

function fill(content) {
  card.replaceChildren(make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => close(true) }, "×"), ...content());
  card.scrollTop = 0;
  if (!card.hidden) card.focus({ preventScroll: true });
}

const heading = (words, kind) => [make("h2", { class: "big" }, words), make("p", { class: "kind" }, kind)];

/** A number that pages print: the first of `list` in full, then the other pages that print it. */
function published(list, words) {
  const [id, ...more] = list, row = known.get(id), event = row.parentNode.id === "events";
  const form = document.querySelector("meta[name=error-form]"); // of a hosted page
  const by = text(id, COMPILER);
  return [
    ...heading(words, event ? "Event" : "Published number" + (by ? " · counted by " + cut(by, 200) : "") + " · " + id),
    facts(id, () => published(list, words), more.length),
    ...(more.length ? [make("p", {}, "Also printed by"), lines(more, () => published(list, words), (each) => `${text(each, PAGE)}, ${text(each, PUBLISHED)}`)] : []),
    make("p", {}, event ? "" : link("Row in all published numbers", () => { close(); toRow(id, true); })),
    form && !event ? make("p", {}, make("a", { href: form.content + id, rel: "noreferrer" }, "Report an error in this number")) : "",
  ];
}

const LISTED = 30;
const lines = (list, back, of) => make("ul", { class: "list" }, ...list.slice(0, LISTED).map((id) => make("li", {}, other(id, id, back), ": ", of(id))));

/** The published numbers that something rests on. */
function inputs(list, back) {
  const rest = list.length - LISTED;
  return list.length ? [lines(list, back, (id) => `${line(id)} (${cut(text(id, PAGE), 60)})`), make("p", {}, rest > 0 ? `and ${rest.toLocaleString("en")} more. ` : "",
    button("Show them in the table", () => { close(); toTable(list); }))] : [];
}

/** What the card of a number or of a mark says. */
function content(element) {
  const list = ids(element), words = element.matches("a") ? element.textContent : "", how = element.dataset.how || "";
  const self = () => content(element);
  const was = (element.dataset.was || "").split("\n").filter(Boolean);
  const history = was.length ? [make("p", {}, "In other editions"), make("ul", { class: "list" }, ...was.map((each) => make("li", {}, each)))] : [];
  if (element.matches(".assumed")) return [...heading(words, "Assumed here · no page prints it"), make("p", {}, how), ...history];
  if (element.matches(".computed"))
    return [...heading(words, "Computed here · no page prints it"), how && make("p", { class: "recipe" }, how.includes("=") || how.length > 40 ? how : `${how} = ${words}`),
      ...history, ...(list.length ? [make("p", {}, "From these published numbers")] : []), ...inputs(list, self), make("p", {}, make("a", { href: "#methods" }, "How it is done"))];
  if (!list.length) return null;
  if (words || list.length === 1) return [...published(list, words || text(list[0], PRINTED)), ...history];
  return [...heading(`${list.length} published numbers`, "stand behind this mark"), ...inputs(list, self)];
}

/** Where the card of an element is in the address. */
const address = (element) => "#" + (element.matches("a[id]") ? element.id : "card=" + ids(element).join("+"));

/** Open the card of a number or mark; `note`: as a step of the history, to which Back returns. */
function open(element, note = true) {
  hint(null);
  const made = content(element);
  if (!made) return;
  const first = card.hidden;
  ring(element.ownerSVGElement ? element : null);
  anchor = element;
  card.hidden = false;
  place(element);
  fill(() => content(element));
  card.setAttribute("aria-label", cut(card.querySelector("h2").textContent + ", " + card.querySelector(".kind").textContent, 120));
  place(element);
  card.tabIndex = -1;
  card.focus({ preventScroll: true });
  if (note) history[first || !history.state?.card ? "pushState" : "replaceState"]({ card: true }, "", address(element));
}

/** On a phone a sheet: under the plot, or at the bottom of the screen; else beside its number, on the side with more room. */
function place(element) {
  const plot = element.closest(".plot"), under = isPhone.matches && plot;
  card.classList.toggle("under", !!under);
  if (under) { plot.after(card); card.removeAttribute("style"); return; }
  if (card.parentNode !== document.body) document.body.append(card);
  if (isPhone.matches) {
    card.removeAttribute("style");
    const hidden = element.getBoundingClientRect().bottom - innerHeight * 0.5;
    if (hidden > 0) scrollBy(0, hidden);
    return;
  }
  const at = element.getBoundingClientRect(), below = at.top < innerHeight - at.bottom;
  card.style.maxHeight = Math.max(160, Math.min(520, (below ? innerHeight - at.bottom : at.top) - 18)) + "px";
  const { offsetWidth: width, offsetHeight: height } = card;
  card.style.left = Math.max(8, Math.min(at.left, innerWidth - width - 8)) + "px";
  card.style.top = Math.max(8, below ? at.bottom + 10 : at.top - height - 10) + "px";
}

/** Close the card; `back`: the reader closes it, and returns to where it was opened from. */
function close(back = false) {
  if (card.hidden) return;
  const from = anchor;
  card.hidden = true;
  anchor = null;
  ring(null);
  if (back && from) from.focus({ preventScroll: true });
  hint(null);
  if (!history.state?.card) return;
  if (back) history.back();
  else history.replaceState(null, "", location.pathname + location.search);
}

function ring(mark) {
  document.querySelectorAll(".ring").forEach((each) => each.remove());
  if (!mark) return;
  const svg = mark.ownerSVGElement, box = mark.getBoundingClientRect(), frame = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / frame.width;
  const rect = document.createElementNS(svg.namespaceURI, "rect");
  const all = { class: "ring", rx: 3, x: (box.left - frame.left) * scale - 2.5, y: (box.top - frame.top) * scale - 2.5,
    width: box.width * scale + 5, height: box.height * scale + 5 };
  for (const [name, value] of Object.entries(all)) rect.setAttribute(name, value);
  svg.append(rect);
}

/* --- a small value at hover and focus ------------------------------------------------------------------------------ */

let hinted = null;
function hint(element) {
  if (element === hinted && element) return;
  hinted?.removeAttribute("aria-describedby");
  hinted = element;
  tip.hidden = !element;
  if (!element) return;
  const list = ids(element), how = element.dataset.how;
  tip.textContent = element.dataset.tip || (element.matches(".assumed") ? "Assumed here" : element.matches(".computed") ? "Computed here" + (how ? ": " + cut(how, 120) : "")
    : list.length ? line(list[0]) + (list.length > 1 ? ` and ${list.length - 1} more` : "") : "");
  if (!tip.textContent) { tip.hidden = true; return; }
  if (element.matches("a")) element.setAttribute("aria-describedby", "tip");
  const at = element.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = tip;
  tip.style.left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, innerWidth - width - 8)) + "px";
  tip.style.top = (at.top > height + 12 ? at.top - height - 8 : at.bottom + 8) + "px";
}

/* --- numbers in the prose and in tables ------------------------------------------------------------------------------ */

const number = (event) => event.target.closest?.("a.n");
document.addEventListener("pointerover", (event) => event.pointerType === "mouse" && number(event) && hint(number(event)));
document.addEventListener("pointerout", (event) => number(event) && hint(null));
document.addEventListener("focusin", (event) => {
  const one = number(event);
  if (one?.matches(":focus-visible") && card.hidden) hint(one);
  if (!card.hidden && !card.contains(event.target) && event.target !== anchor) close();
});
document.addEventListener("focusout", (event) => number(event) && hint(null));
document.addEventListener("click", (event) => {
  const one = number(event), link = event.target.closest?.("a[href^='#']");
  if (one) { event.preventDefault(); open(one); }
  else if (link) reveal(document.getElementById(decodeURIComponent(link.hash.slice(1))));
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") { hint(null); close(true); } });
document.addEventListener("pointerdown", (event) => {
  if (!card.hidden && !card.contains(event.target) && !event.target.closest(".plot svg, a.n")) close();
});
addEventListener("scroll", () => hint(null), { passive: true });
document.querySelectorAll("a.n").forEach((one) => one.setAttribute("aria-haspopup", "dialog"));
let unfolded = []; // for print
addEventListener("beforeprint", () => { unfolded = [...document.querySelectorAll("details:not([open])")]; unfolded.forEach((each) => { each.open = true; }); });
addEventListener("afterprint", () => unfolded.forEach((each) => { each.open = false; }));
