/* --- all published numbers: filtered, sorted, saved; the filters are in the address ---------------------------------- */

const STEP = isPhone.matches ? 8 : 25;
const panel = document.getElementById("filters");
const synonyms = JSON.parse(panel.dataset.synonyms);
const numbersOf = (row) => (row.dataset.articles || "").split("+").filter(Boolean);
let haystacks = null; // made at the first search
const haystack = (n) => (haystacks ??= rows.map((row) => [row.textContent, pageOf.get(row).textContent, ...numbersOf(row).map((each) => synonyms[each] || "")].join(" ").toLowerCase()))[n];
const value = (row, n) => row.cells[n].textContent;
const what = (row) => row.dataset.what || value(row, MEASURE);
const years = (row) => (row.dataset.days || "").split(" ").map((day) => day.slice(0, 4));
const distinct = (of) => [...new Set(rows.flatMap(of))].filter(Boolean).sort();
const filters = {
  search: ["Search", (row, words, n) => words.toLowerCase().split(/\s+/).every((word) => haystack(n).includes(word))],
  set: ["Set", (row, name) => row.id.startsWith(name), () => [["F", "Russian prosecutions"], ["ctx", "Context"]]],
  offence: ["Offence", (row, name) => (name.startsWith("has ") ? numbersOf(row).includes(name.slice(4)) : value(row, OFFENCE) === name), () => [
    ...distinct(numbersOf).map((each) => ["has " + each, `Art. ${each}, alone or with others`]),
    ...distinct((row) => value(row, OFFENCE)).map((label) => [label, label])]],
  measure: ["What was counted", (row, name) => what(row) === name, () => distinct(what).map((label) => [label, label])],
  compiler: ["Counted by", (row, name) => value(row, COMPILER) === name, () => distinct((row) => value(row, COMPILER)).map((label) => [label, label])],
  year: ["Year", (row, year) => years(row)[0] <= year && year <= years(row).at(-1), () => distinct(years).map((year) => [year, year]).reverse()],
  use: ["Use", (row, name) => value(row, USE) === name, () => distinct((row) => value(row, USE)).map((label) => [label, label])],
};
const controls = {};
let shown = [], end = STEP, here = null, only = null, sort = { key: ID, down: false };
const body = make("tbody");
const count = make("p", { role: "status" });
const more = button("Show more", () => { end += 4 * STEP; draw(); });
const under = make("p", { id: "more" }, more);

for (const [name, [label, , options]] of Object.entries(filters)) {
  const control = options
    ? make("select", { onchange: changed }, make("option", { value: "" }, "all"), ...options().map(([each, words]) => make("option", { value: each }, cut(words, 60))))
    : make("input", { type: "search", autocomplete: "off", spellcheck: "false", oninput: changed });
  control.id = "filter-" + name;
  controls[name] = control;
  panel.append(make("label", {}, label, control));
}
panel.append(button("Clear", () => { reset(); changed(); }), make("button", { type: "button", id: "download", onclick: download }, "Download these rows (CSV)"), count);

function reset() { for (const control of Object.values(controls)) control.value = ""; here = null; only = null; }

function update() {
  const active = Object.entries(filters).map(([name, [, test]]) => [test, controls[name].value.trim() || controls[name].value]).filter(([, words]) => words.trim());
  shown = [];
  rows.forEach((row, n) => (!only || only.has(row.id)) && active.every(([test, words]) => test(row, words, n)) && shown.push(n));
  const amount = sort.key === PRINTED, keys = rows.map((row) => (amount ? Number(row.dataset.value) : sort.key === PERIOD ? row.dataset.days || "" : value(row, sort.key).toLowerCase()));
  if (sort.key !== ID || sort.down) shown.sort((a, b) => (sort.down ? -1 : 1) * (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0) || (sort.key === ID ? b - a : a - b));
  end = STEP;
  draw();
}

function draw() {
  body.replaceChildren(...shown.slice(0, end).map((n) => drawn(rows[n])));
  count.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} published numbers`;
  under.hidden = shown.length <= end;
  more.textContent = `Show more (${(shown.length - Math.min(end, shown.length)).toLocaleString("en")} left)`;
}

/** A stored row as it stands in the table: its number opens the card, its cells are named for small screens. */
function drawn(row) {
  const copy = document.importNode(row, true);
  copy.cells[ID].replaceChildren(make("a", { class: "n", href: "#" + row.id, "data-ids": row.id, "aria-haspopup": "dialog" }, row.id));
  columns.forEach((name, n) => n && n < DETAILS && copy.cells[n].setAttribute("data-label", name));
  const details = copy.cells[DETAILS], clamped = make("div", { class: "clamp" }); // the card has all of it
  clamped.append(...details.childNodes);
  details.append(clamped);
  copy.classList.toggle("here", row.id === here);
  return copy;
}

/** The filters as part of the address; "" where nothing is filtered. */
function state() {
  const set = new URLSearchParams(Object.entries(controls).map(([name, control]) => [name, control.value]).filter(([, words]) => words));
  if (only) set.set("only", [...only].join(" "));
  return set.size ? "#numbers?" + set : "";
}

function changed() {
  here = null;
  update();
  history.replaceState(null, "", state() || location.pathname + location.search);
}

function show(element, block = "start") { reveal(element); element.scrollIntoView({ block }); }

/** Show the row of a number, whatever is filtered; `note`: as a step of the history. */
function toRow(id, note = false) {
  if (note) history.pushState(null, "", "#" + id);
  reset();
  here = id;
  update();
  end = Math.max(STEP, shown.findIndex((n) => rows[n].id === id) + 10);
  draw();
  const row = document.getElementById(id);
  if (row) show(row, "center");
  row?.querySelector("a").focus({ preventScroll: true });
}

/** Show the rows of these numbers alone, until the filters are cleared. */
function toTable(list) {
  reset();
  only = new Set(list);
  history.pushState(null, "", state());
  update();
  show(document.getElementById("numbers"));
  document.getElementById("all").focus({ preventScroll: true });
}

function download() {
  const detail = (row, name) => [...row.cells[DETAILS].querySelectorAll("b")].filter((each) => each.textContent === name).map((each) => each.nextSibling.data.trim()).join("; ");
  const fields = {
    id: (row) => row.id, printed: (row) => value(row, PRINTED), value: (row) => row.dataset.value, bound: (row) => row.dataset.bound || "exact",
    measure: (row) => value(row, MEASURE), articles: (row) => (row.dataset.articles ? value(row, OFFENCE) : ""), topic: (row) => (row.dataset.articles ? "" : value(row, OFFENCE)),
    start: (row) => row.dataset.days?.split(" ")[0], end: (row) => row.dataset.days?.split(" ")[1], period: (row) => value(row, PERIOD),
    compiler: (row) => value(row, COMPILER), publisher: (row) => value(row, PAGE), url: (row) => row.cells[PAGE].querySelector("a")?.href, published: (row) => value(row, PUBLISHED),
    use: (row) => value(row, USE), covers: (row) => detail(row, "Covers"), counted_on: (row) => detail(row, "Counted on"), where: (row) => detail(row, "Where"),
    note: (row) => detail(row, "Note"), why: (row) => detail(row, "Why"), corrected: (row) => detail(row, "Corrected"),
  };
  /* A spreadsheet runs a cell that begins so; a plain number is none. */
  const guard = (words) => (/^[=+\-@\t\r\n＝＋－＠]/.test(words) && !/^-?\d+(\.\d+)?$/.test(words) ? "'" + words : words);
  const quote = (words) => { const safe = guard(words ?? ""); return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; };
  save("published-numbers.csv", "text/csv;charset=utf-8", [Object.keys(fields), ...shown.map((n) => Object.values(fields).map((field) => field(rows[n])))].map((row) => row.map(quote).join(",") + "\n").join(""));
}

const headings = columns.map((name, key) => make("th", { scope: "col" }, button(name, () => sortBy(key))));
function sortBy(key) {
  sort = { key, down: sort.key === key && !sort.down };
  headings.forEach((cell) => cell.removeAttribute("aria-sort"));
  headings[key].setAttribute("aria-sort", sort.down ? "descending" : "ascending");
  update();
}
headings[ID].setAttribute("aria-sort", "ascending");
document.getElementById("all").replaceChildren(make("table", { class: "brief" }, make("thead", {}, make("tr", {}, ...headings)), body));
document.getElementById("all").after(under);
update();

/** Show what the address names: a card, filters, a row. */
function visit() {
  const hash = decodeURIComponent(location.hash.slice(1));
  if (!card.hidden) { card.hidden = true; ring(null); anchor?.focus({ preventScroll: true }); anchor = null; }
  hint(null);
  const named = hash ? document.getElementById(hash) : null;
  if (named?.matches("a.n")) { show(named, "center"); open(named, false); }
  else if (hash.startsWith("card=")) {
    const list = hash.slice(5).split("+").filter((id) => known.has(id)), same = [...document.querySelectorAll("[data-ids]")].find((each) => each.dataset.ids === list.join(" ") && each.getBoundingClientRect().width);
    if (same) { show(same, "center"); open(same, false); } else if (list.length) toRow(list[0]);
  } else if (hash.startsWith("numbers?")) {
    const set = new URLSearchParams(hash.slice(8));
    reset();
    for (const [name, control] of Object.entries(controls)) control.value = set.get(name) || "";
    if (set.get("only")) only = new Set(set.get("only").split(" "));
    update();
    show(document.getElementById("numbers"));
  } else if (known.has(hash)) toRow(hash);
  else if (named && reveal(named)) named.scrollIntoView();
  else if (/^(F|ctx)\d+$/.test(hash)) { reset(); update(); count.textContent = `There is no number ${hash} in this version`; show(document.getElementById("numbers")); }
}
addEventListener("popstate", visit);
visit();
document.documentElement.dataset.ready = "";
