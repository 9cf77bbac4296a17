/* --- marks of the plots: one stop of the Tab key for each plot, arrows inside ---------------------------------------- */

for (const svg of document.querySelectorAll(".plot svg")) {
  const marks = [...svg.querySelectorAll(".mark[data-ids]")].filter((mark) => ids(mark).length);
  if (!marks.length) continue;
  svg.setAttribute("role", "group"); // an image has no buttons in it
  svg.closest(".plot").removeAttribute("tabindex"); // its marks take the focus
  marks.forEach((mark, n) => {
    const list = ids(mark);
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-haspopup", "dialog");
    mark.setAttribute("aria-label", line(list[0]) + (list.length > 1 ? ` and ${list.length - 1} more` : ""));
    mark.tabIndex = n ? -1 : 0;
    mark.addEventListener("focus", () => mark.matches(":focus-visible") && card.hidden && point(mark));
    mark.addEventListener("blur", () => card.hidden && point(null));
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step ? marks[(n + step + marks.length) % marks.length] : { Home: marks[0], End: marks.at(-1) }[event.key];
      if (next) {
        event.preventDefault();
        mark.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
        point(next); // the browser does not hold every focus by a script for one by the keyboard
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        open(mark);
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
  svg.addEventListener("pointermove", (event) => event.pointerType === "mouse" && card.hidden && point(nearest(event, 8)));
  svg.addEventListener("pointerleave", () => card.hidden && point(null));
  svg.addEventListener("click", (event) => {
    const mark = nearest(event, event.pointerType === "mouse" ? 8 : 22);
    if (mark) open(mark); else close();
  });
}

/** Ring a mark and show its value. */
function point(mark) {
  if (mark === hinted) return;
  ring(mark);
  hint(mark);
}

/* --- a plot as a file, and its numbers as a table ------------------------------------------------------------------- */

/** The picture as it stands alone: light, with its words and its styles inside. */
function alone(figure) {
  const shown = [...figure.querySelectorAll(".plot svg")].find((svg) => svg.getBoundingClientRect().width) || figure.querySelector("svg");
  const svg = shown.cloneNode(true), box = shown.viewBox.baseVal, words = figure.querySelector("[id^=words-]");
  svg.querySelectorAll(".ring").forEach((each) => each.remove());
  svg.querySelectorAll(".mark").forEach((each) => ["role", "tabindex", "aria-label", "aria-haspopup"].forEach((name) => each.removeAttribute(name)));
  for (const [name, value] of Object.entries({ role: "img", width: box.width + "pt", height: box.height + "pt" })) svg.setAttribute(name, value);
  const [style, desc] = ["style", "desc"].map((name) => document.createElementNS(svg.namespaceURI, name));
  style.textContent = document.getElementById("marks").textContent;
  desc.textContent = words.textContent;
  desc.id = words.id;
  svg.querySelector("title")?.after(desc);
  svg.prepend(style);
  return { text: new XMLSerializer().serializeToString(svg), width: box.width * 4 / 3, height: box.height * 4 / 3 };
}

async function png(figure, name) {
  const { text: svg, width, height } = alone(figure), image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  await image.decode();
  const canvas = make("canvas", { width: Math.round(width * 2), height: Math.round(height * 2) }), to = canvas.getContext("2d");
  to.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(name + ".png", "image/png", blob));
}

/** The rows of a plot's CSV file, without the sources after them. */
function parse(csv) {
  const out = [[""]];
  let quoted = false;
  for (let n = 0; n < csv.length; n++) {
    const sign = csv[n], row = out.at(-1);
    if (sign === '"') { if (quoted && csv[n + 1] === '"') { row[row.length - 1] += sign; n++; } else quoted = !quoted; }
    else if (quoted || (sign !== "," && sign !== "\n")) row[row.length - 1] += sign;
    else if (sign === ",") row.push("");
    else out.push([""]);
  }
  return out.slice(0, out.findIndex((row) => row[0] === "# Sources")).filter((row) => row.length > 1 || row[0]);
}

const SHOWN = 200; // rows of a plot's table; the file has all

for (const figure of document.querySelectorAll("figure[id^=plot-]")) {
  const name = figure.id.slice(5), tools = figure.querySelector(".tools"), file = tools.querySelector("a[download]");
  const [asPng, asSvg] = tools.querySelectorAll("button");
  asPng.addEventListener("click", () => png(figure, name));
  asSvg.addEventListener("click", () => save(name + ".svg", "image/svg+xml", alone(figure).text));
  if (!file) continue;
  const csv = () => decodeURIComponent(file.getAttribute("href").slice(file.getAttribute("href").indexOf(",") + 1));
  const box = make("div", { class: "table", role: "region", tabindex: "0", "aria-label": "Numbers of " + figure.querySelector(".plot").getAttribute("aria-label") });
  const fold = figure.querySelector(".numbers");
  fold.append(box);
  fold.addEventListener("toggle", () => {
    if (box.firstChild) return;
    const [head, ...body] = parse(csv());
    const cells = (row, tag) => make("tr", {}, ...row.map((cell, n) => make(tag, tag === "th" ? { scope: "col" } : { "data-label": head[n].replaceAll("_", " ") },
      ...(head[n] === "ids" && tag === "td" ? linkedIds(cell) : [tag === "th" ? cell.replaceAll("_", " ") : cell]))));
    box.append(make("table", {}, make("thead", {}, cells(head, "th")), make("tbody", {}, ...body.slice(0, SHOWN).map((row) => cells(row, "td")))));
    if (body.length > SHOWN) box.after(make("p", { class: "note" }, `${SHOWN} of ${body.length} rows; the file has all.`));
  });
}

function linkedIds(cell) {
  const list = cell.split(" ").filter((id) => known.has(id));
  if (!list.length) return [cell];
  return [make("a", { class: "n", href: "#" + list[0], "data-ids": list.join(" "), "aria-haspopup": "dialog" }, list[0] + (list.length > 1 ? ` and ${list.length - 1} more` : ""))];
}
