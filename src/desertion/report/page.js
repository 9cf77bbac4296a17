"use strict";
/* Every number and every mark opens its statement; the table of all statements sorts, filters and is saved as CSV.
   Text of the data goes into the page as text nodes only. */
(() => {
  const { statements, events, sources, labels, was } = JSON.parse(document.getElementById("data").textContent);
  for (const one of statements) {
    Object.assign(one, sources[one.source]);
    one.what ??= one.measure;
  }
  const known = new Map([...statements, ...events].map((one) => [one.id, one]));
  const PAGE = 100;

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
  const link = (text, url) => (/^https?:\/\//.test(url || "") ? make("a", { href: url, rel: "noreferrer" }, text) : text);
  const cut = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

  /* --- the card ----------------------------------------------------------------------------------------------- */

  const card = document.getElementById("card");
  let anchor = null; // what the card is of
  let pinned = false; // opened on purpose: stays until closed
  let timer = 0;

  function article(id) {
    const one = known.get(id);
    const rows = [];
    const row = (name, ...values) => values.some((value) => value) && rows.push(make("dt", {}, name), make("dd", {}, ...values));
    const refer = (ids) => ids.flatMap((each, n) => [n ? ", " : "", other(each)]);
    row("Counted", one.measure);
    row("Offence", one.articles);
    row("Topic", one.topic);
    row("Covers", one.scope, one.scope && one.courts ? "; " : "", one.courts);
    row("Period", one.period && one.period + (one.cumulative ? " (running total)" : ""));
    row("Counted on", one.counted);
    row("Bound", labels.bound[one.bound]);
    row("Hedge", one.hedge);
    row("Counted by", one.compiler);
    row("Printed by", one.publisher && link(one.publisher, one.url));
    row("Title", one.title);
    row("Archived", one.archived && link("copy in an archive", one.archived), one.retrieved && ` (read ${one.retrieved})`);
    row("Published", one.kind === "event" ? one.published : one.published || "no date shown");
    row("Where", one.locator);
    row("Note", one.note);
    row("Status", one.status && one.status !== "ok" && one.status + (one.reason ? ": " + one.reason : ""));
    row("Checked", labels.audit[one.audit]);
    for (const each of one.corrections || []) row("Corrected", each);
    if (one.same) row("Also printed in", ...refer(one.same));
    for (const rival of one.rivals || []) {
      rows.push(make("dt", {}, "Other sources"), make("dd", {},
        rival.about,
        make("ul", {}, ...rival.others.map((each) => make("li", {}, each.text + ": ", ...refer(each.ids)))),
        rival.chosen ? "Used: " : "None is used: ", ...(rival.chosen ? [...refer(rival.chosen.split(" ")), ", since: "] : []),
        rival.because));
    }
    const count = one.kind === "event" ? "" : make("p", {}, make("a", { href: "#" + id, onclick: (event) => { event.preventDefault(); close(); toRow(id); } },
      "Row in the table of all statements"));
    const form = document.querySelector("meta[name=error-form]"); // of a hosted page
    const report = form && one.kind !== "event" ? make("p", {}, link("Report an error in this number", form.content + id)) : "";
    return make("article", {}, make("h2", {}, make("span", { class: "big" }, one.printed), " " + id), make("dl", {}, ...rows), count, report);
  }

  /** A link to a statement inside the card; `back` are the statements to return to. */
  function other(id, back) {
    if (!known.has(id)) return id;
    return make("a", { href: "#" + id, onclick: (event) => { event.preventDefault(); fill([id], "", back); card.scrollTop = 0; card.focus(); } }, id);
  }

  const MOST = 4; // statements shown in full; more are listed
  const LISTED = 40;

  function fill(ids, number, back) {
    const found = ids.filter((id) => known.has(id));
    const many = found.length > 1;
    const label = many ? `${found.length.toLocaleString("en")} statements` + (number ? ` behind ${number}` : "") : `Statement ${found[0]}`;
    card.replaceChildren(make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => close(true) }, "×"));
    if (back) card.append(make("p", {}, make("a", { href: "#card", onclick: (event) => { event.preventDefault(); fill(...back); card.scrollTop = 0; card.focus(); } },
      `Back to all ${back[0].length.toLocaleString("en")} statements`)));
    if (many) card.append(make("p", {}, label));
    if (found.length > MOST) {
      const line = (id) => {
        const one = known.get(id);
        return make("li", {}, other(id, [ids, number]), ": ", cut([one.printed + " " + one.measure, one.articles || one.topic, one.period, one.compiler].filter(Boolean).join(", "), 160));
      };
      const rest = found.length - LISTED;
      card.append(
        make("p", {}, make("button", { type: "button", onclick: () => { close(); toTable(found); } }, "Show them in the table")),
        make("ul", { class: "list" }, ...found.slice(0, LISTED).map(line)),
        rest > 0 ? make("p", {}, `and ${rest.toLocaleString("en")} more in the table`) : "");
    } else card.append(...found.map(article));
    card.setAttribute("aria-label", label);
    return found.length;
  }

  function open(element, { pin = false, at = element.getBoundingClientRect() } = {}) {
    clearTimeout(timer);
    const ids = element.dataset.ids.split(" ");
    if (anchor !== element || card.hidden) {
      if (!fill(ids, element.matches("a") ? element.textContent : "")) return;
      if (element.dataset.was)
        card.querySelector(".close").after(make("p", {}, element.textContent + " in other editions"),
          make("ul", { class: "list" }, ...was[element.dataset.was].map((line) => make("li", {}, line))));
      card.hidden = false;
      card.scrollTop = 0;
      ring(element);
      anchor = element;
      /* On the side with more room, and no higher than that: it never covers what it is of. */
      const under = at.top < innerHeight - at.bottom, room = (under ? innerHeight - at.bottom : at.top) - 18;
      card.style.maxHeight = Math.min(480, room) + "px";
      card.classList.toggle("top", !under);
      const { offsetWidth: width, offsetHeight: height } = card;
      card.style.left = Math.max(8, Math.min(at.left, innerWidth - width - 8)) + "px";
      card.style.top = (under ? at.bottom + 10 : at.top - height - 10) + "px";
    }
    if (pin) {
      pinned = true;
      card.tabIndex = -1;
      card.focus({ preventScroll: true });
    }
  }

  function close(back = false) {
    clearTimeout(timer);
    if (card.hidden) return;
    const from = anchor;
    card.hidden = true;
    anchor = null;
    pinned = false;
    ring(null);
    if (back && from) { quiet = true; from.focus({ preventScroll: true }); quiet = false; }
  }
  let quiet = false; // focus comes back to what was closed: it is not to open again

  /* A press of the pointer gives focus too, and what then opens under it would get the click. */
  const byKey = (element) => !quiet && !pinned && element.matches(":focus-visible");

  const later = (action, wait) => { clearTimeout(timer); timer = setTimeout(action, wait); };
  const leave = () => pinned || later(close, 250);

  function ring(mark) {
    document.querySelectorAll(".ring").forEach((each) => each.remove());
    const svg = mark && mark.ownerSVGElement;
    if (!svg) return;
    const box = mark.getBoundingClientRect(), frame = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / frame.width;
    const rect = document.createElementNS(svg.namespaceURI, "rect");
    const all = { class: "ring", rx: 3, x: (box.left - frame.left) * scale - 2.5, y: (box.top - frame.top) * scale - 2.5,
      width: box.width * scale + 5, height: box.height * scale + 5 };
    for (const [name, value] of Object.entries(all)) rect.setAttribute(name, value);
    svg.append(rect);
  }

  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerdown", () => { clearTimeout(timer); pinned = true; });
  card.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(true));
  document.addEventListener("pointerdown", (event) => {
    if (!card.hidden && !card.contains(event.target) && !event.target.closest(".plot svg, a.n")) close();
  });
  addEventListener("scroll", () => pinned || close(), { passive: true });
  card.addEventListener("focusout", (event) => event.relatedTarget && !card.contains(event.relatedTarget) && close());

  /* --- numbers in the prose and in tables ---------------------------------------------------------------------- */

  for (const number of document.querySelectorAll("a.n")) {
    number.setAttribute("aria-haspopup", "dialog");
    number.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !pinned && later(() => open(number), 80));
    number.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
    number.addEventListener("focus", () => byKey(number) && open(number));
    number.addEventListener("blur", () => leave());
    number.addEventListener("click", (event) => { event.preventDefault(); open(number, { pin: true }); });
  }

  /* --- marks of the plots: one stop of the Tab key a plot, arrows inside ----------------------------------------- */

  for (const svg of document.querySelectorAll(".plot svg")) {
    const marks = [...svg.querySelectorAll(".mark[data-ids]")].filter((mark) => mark.dataset.ids.split(" ").some((id) => known.has(id)));
    if (!marks.length) continue;
    const title = svg.querySelector("title"), words = svg.querySelector("desc");
    svg.setAttribute("role", "group"); // an image has no buttons in it
    if (title && title.id) { svg.setAttribute("aria-labelledby", title.id); if (words) svg.setAttribute("aria-describedby", words.id); }
    svg.closest(".plot").removeAttribute("tabindex"); // its marks take the focus
    marks.forEach((mark, n) => {
      const ids = mark.dataset.ids.split(" ").filter((id) => known.has(id)), first = known.get(ids[0]);
      const said = [first.printed, first.measure, first.articles || first.topic, first.period, first.compiler].filter(Boolean).join(", ");
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-haspopup", "dialog");
      mark.setAttribute("aria-label", cut(said, 200) + (ids.length > 1 ? ` and ${ids.length - 1} more` : ""));
      mark.tabIndex = n ? -1 : 0;
      mark.addEventListener("focus", () => byKey(mark) && open(mark));
      mark.addEventListener("blur", () => leave());
      mark.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        const next = step ? marks[(n + step + marks.length) % marks.length] : { Home: marks[0], End: marks.at(-1) }[event.key];
        if (next) {
          event.preventDefault();
          mark.tabIndex = -1;
          next.tabIndex = 0;
          close();
          next.focus();
          open(next); // the browser does not hold every focus by a script for one by the keyboard
        } else if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          open(mark, { pin: true });
        }
      });
    });
    /* A mark is a few pixels wide: the nearest one is meant, and of those under the pointer the smallest. */
    const nearest = (event, most) => {
      let best = null, least = [most, Infinity];
      for (const mark of marks) {
        const box = mark.getBoundingClientRect();
        const away = Math.hypot(Math.max(box.left - event.clientX, 0, event.clientX - box.right), Math.max(box.top - event.clientY, 0, event.clientY - box.bottom));
        const size = box.width * box.height;
        if (away < least[0] || (away === least[0] && size < least[1])) { best = mark; least = [away, size]; }
      }
      return best;
    };
    svg.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse" || pinned) return;
      const mark = nearest(event, 8);
      if (mark) { if (mark !== anchor || card.hidden) later(() => open(mark), 60); else clearTimeout(timer); } else leave();
    });
    svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
    svg.addEventListener("click", (event) => {
      const mark = nearest(event, event.pointerType === "mouse" ? 8 : 22);
      if (!mark) { close(); return; }
      pinned = false;
      open(mark, { pin: true });
    });
  }

  /* --- the table of all statements ------------------------------------------------------------------------------ */

  const columns = { id: "Statement", printed: "As printed", measure: "Counted", offence: "Offence or topic", period: "Period", compiler: "Counted by",
    publisher: "Printed by", published: "Published", status: "Status" };
  const keys = Object.keys(columns), body = make("tbody");
  const offence = (one) => one.articles || one.topic || "";
  const status = (one) => one.status;
  const sortable = {
    id: (one) => one.id.replace(/\d+/, (digits) => digits.padStart(6, "0")), printed: (one) => one.value, measure: (one) => one.measure,
    offence, period: (one) => one.start + one.end, compiler: (one) => one.compiler || "", publisher: (one) => one.publisher || "",
    published: (one) => one.published || "", status,
  };
  const haystacks = statements.map((one) => [one.id, one.printed, one.value, one.measure, offence(one), one.period, one.start, one.end,
    one.compiler, one.publisher, one.locator, one.note, one.reason, one.status, ...(one.corrections || [])].join(" ").toLowerCase());
  let shown = statements.map((_, n) => n), sort = { key: "id", down: false }, end = PAGE, here = null, only = null;

  const filters = {
    search: ["Search", (one, value, n) => value.toLowerCase().split(/\s+/).every((word) => haystacks[n].includes(word))],
    kind: ["Set", (one, value) => one.kind === value, () => [["figure", "Russian prosecutions"], ["context", "Context"]]],
    offence: ["Offence", (one, value) => (value.startsWith("has ") ? (one.numbers || []).includes(value.slice(4)) : offence(one) === value), () => [
      ...distinct((one) => one.numbers || []).map((number) => ["has " + number, `Art. ${number}, alone or with others`]),
      ...distinct((one) => offence(one)).map((label) => [label, label])]],
    measure: ["Measure", (one, value) => one.what === value, () => distinct((one) => one.what).map((label) => [label, label])],
    compiler: ["Counted by", (one, value) => one.compiler === value, () => distinct((one) => one.compiler).map((label) => [label, label])],
    year: ["Year", (one, value) => one.start.slice(0, 4) <= value && value <= one.end.slice(0, 4),
      () => distinct((one) => [one.start.slice(0, 4), one.end.slice(0, 4)]).map((year) => [year, year]).reverse()],
    status: ["Status", (one, value) => one.status === value, () => distinct((one) => one.status).map((word) => [word, word])],
  };
  const distinct = (of) => [...new Set(statements.flatMap(of))].filter(Boolean).sort();
  const controls = {};
  const count = make("p", { role: "status" });
  const panel = document.getElementById("filters");
  for (const [name, [label, , options]] of Object.entries(filters)) {
    const control = options
      ? make("select", { onchange: update }, make("option", { value: "" }, "all"), ...options().map(([value, text]) => make("option", { value }, cut(text, 60))))
      : make("input", { type: "search", autocomplete: "off", spellcheck: "false", oninput: update });
    control.id = "filter-" + name;
    controls[name] = control;
    panel.append(make("label", {}, label, control));
  }
  panel.append(
    make("button", { type: "button", onclick: () => { reset(); update(); } }, "Clear"),
    make("button", { type: "button", id: "download", onclick: download }, "Download these rows (CSV)"), count);
  const more = make("button", { type: "button", onclick: () => { end += 5 * PAGE; draw(); } }, "Show more");
  const under = make("p", { id: "more" }, more);

  function reset() { for (const control of Object.values(controls)) control.value = ""; here = null; only = null; }

  function update() {
    const active = Object.entries(filters).map(([name, [, test]]) => [test, controls[name].value.trim() || controls[name].value]).filter(([, value]) => value.trim());
    shown = [];
    statements.forEach((one, n) => (!only || only.has(one.id)) && active.every(([test, value]) => test(one, value, n)) && shown.push(n));
    const of = sortable[sort.key], sign = sort.down ? -1 : 1;
    const values = statements.map(of);
    shown.sort((a, b) => sign * (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0) || a - b);
    end = PAGE;
    draw();
  }

  function draw() {
    body.replaceChildren(...shown.slice(0, end).map(line));
    const all = statements.length.toLocaleString("en"), found = shown.length.toLocaleString("en");
    count.textContent = `${found} of ${all} statements`;
    under.hidden = shown.length <= end;
    more.textContent = `Show more (${(shown.length - Math.min(end, shown.length)).toLocaleString("en")} left)`;
  }

  function line(n) {
    const one = statements[n];
    const notes = [one.locator, one.note, one.reason, ...(one.corrections || [])].filter(Boolean).join("; ");
    const cell = { id: "", printed: one.printed, measure: one.measure, offence: offence(one), period: one.period + (one.cumulative ? " (running total)" : ""),
      compiler: cut(one.compiler || "", 400), publisher: "", published: one.published || "", status: one.status };
    const opener = make("a", { class: "n", href: "#" + one.id, "data-ids": one.id, "aria-haspopup": "dialog",
      onclick: (event) => { event.preventDefault(); open(opener, { pin: true }); } }, one.id);
    return make("tr", { id: one.id, class: one.id === here ? "here" : undefined }, ...keys.map((key) =>
      key === "id" ? make("th", { scope: "row" }, opener)
        : key === "publisher" ? make("td", {}, link(cut(one.publisher || "", 400), one.url), notes ? make("small", {}, cut(notes, 600)) : "")
          : make("td", {}, cell[key])));
  }

  /** Show the row of a statement, whatever is filtered. */
  function toRow(id) {
    reset();
    here = id;
    update();
    end = Math.max(PAGE, shown.findIndex((n) => statements[n].id === id) + 10);
    draw();
    const row = document.getElementById(id);
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    row.querySelector("a").focus({ preventScroll: true });
  }

  /** Show the rows of these statements alone, until the filters are cleared. */
  function toTable(ids) {
    reset();
    only = new Set(ids);
    update();
    document.getElementById("statements").scrollIntoView();
    document.getElementById("all").focus({ preventScroll: true });
  }

  function download() {
    const names = ["id", "printed", "value", "bound", "hedge", "measure", "articles", "topic", "scope", "courts", "counted", "start", "end", "cumulative", "compiler",
      "publisher", "url", "published", "locator", "note", "status", "reason", "corrections"];
    /* A spreadsheet runs a cell that begins so; a plain number is none. */
    const guard = (text) => (/^[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? "'" + text : text);
    const quote = (value) => {
      const text = guard(Array.isArray(value) ? value.join("; ") : String(value ?? ""));
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = [names, ...shown.map((n) => names.map((name) => statements[n][name]))].map((row) => row.map(quote).join(",") + "\n");
    const url = URL.createObjectURL(new Blob(lines, { type: "text/csv;charset=utf-8" }));
    make("a", { href: url, download: "statements.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  const headings = keys.map((key) => make("th", { scope: "col" }, make("button", { type: "button", onclick: () => sortBy(key) }, columns[key])));
  function sortBy(key) {
    sort = { key, down: sort.key === key && !sort.down };
    headings.forEach((cell) => cell.removeAttribute("aria-sort"));
    headings[keys.indexOf(key)].setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    update();
  }
  headings[0].setAttribute("aria-sort", "ascending");
  document.getElementById("all").replaceChildren(make("table", { class: "brief" }, make("thead", {}, make("tr", {}, ...headings)), body));
  document.getElementById("all").after(under);
  draw();

  const goTo = () => known.has(location.hash.slice(1)) && toRow(location.hash.slice(1));
  addEventListener("hashchange", goTo);
  goTo();
  document.documentElement.dataset.ready = "";
})();
