// Opens pages of the report in a real browser and says, as JSON, what it found. The tests in tests/test_report_browser.py judge.
// usage: node check.mjs BROWSER PAGE [open|first|use|fold|filter]; PAGE is a file, or an address on this machine
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, page, task] = process.argv.slice(2);
const address = /^http:/.test(page) ? page : pathToFileURL(page).href;
const own = /^http:/.test(page) ? `${new URL(page).origin}/` : "file:";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// A container has no user namespaces to build the sandbox from; the page is our own.
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const found = { errors: [], requests: [] };

async function open(width, colorScheme, more = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, acceptDownloads: true, ...more });
  const tab = await context.newPage();
  tab.on("console", (message) => ["error", "warning"].includes(message.type()) && found.errors.push(message.text()));
  tab.on("pageerror", (error) => found.errors.push(error.message));
  tab.on("request", (request) => {
    if (!request.url().startsWith(own) && !/^(data|blob):/.test(request.url())) found.requests.push(request.url());
  });
  await tab.goto(address);
  return tab;
}

const tasks = {
  /** Every width and theme: how wide the page is, what axe-core says, what moves; how long the page takes to be ready. */
  async open() {
    found.views = [];
    for (const width of [320, 360, 768, 1440]) {
      for (const scheme of ["light", "dark"]) {
        const tab = await open(width, scheme);
        const milliseconds = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
        const moved = await tab.evaluate(() => new Promise((done) => {
          let sum = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((each) => { sum += each.value; })).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(sum), 300);
        }));
        const [wide, high, ready, headings] = await tab.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight, "ready" in document.documentElement.dataset, document.querySelectorAll("h1").length]);
        await tab.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
        const tables = tab.locator("figure .numbers");
        if (await tables.count()) await tables.last().locator("tbody").waitFor(); // made when first opened
        const unfolded = await tab.evaluate(() => document.documentElement.scrollWidth);
        const both = await tab.evaluate(() => [...document.querySelectorAll(".table")].filter((box) => box.scrollWidth > box.clientWidth + 1 && box.scrollHeight > box.clientHeight + 1).length);
        const sideways = await tab.evaluate(() => [...document.querySelectorAll(".cards")].filter((box) => box.scrollWidth > box.clientWidth + 1).length);
        await tab.evaluate(axe);
        // What a theme changes is colours; all else was looked over in the light one.
        const rules = scheme === "dark" ? { runOnly: ["color-contrast"] } : {};
        const { violations } = await tab.evaluate((rules) => axe.run({ resultTypes: ["violations"], ...rules }), rules);
        found.views.push({ width, scheme, wide, unfolded, high, ready, milliseconds, moved, headings, both, sideways, violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`) });
        await tab.context().close();
      }
    }
  },

  /** On a phone: how far down the headline ends, and the lowest year below the axis of the first plot. */
  async first() {
    const tab = await open(360, "light");
    found.ends = await tab.evaluate(() => {
      const years = [...document.querySelectorAll("#answer figure .narrow text")].filter((each) => /^20\d\d$/.test(each.textContent.trim()));
      return [document.querySelector("#answer > p"), ...years].map((each) => each.getBoundingClientRect().bottom);
    });
    await tab.context().close();
  },

  /** Cards by mouse, keyboard and touch; the table's filter, sort and download; files of a plot; the page without its script. */
  async use() {
    const tab = await open(1440, "light");
    const card = tab.locator("#card"), tip = tab.locator("#tip");
    const text = async () => ((await card.isVisible()) ? card.innerText() : "");
    const saved = async (action) => {
      const [download] = await Promise.all([tab.waitForEvent("download"), action()]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const number = tab.locator("a.n").first();
    await number.hover();
    await tip.waitFor({ state: "visible" });
    found.hovered = [await tip.innerText(), await card.isVisible()];
    await tab.mouse.move(2, 2);
    await tip.waitFor({ state: "hidden" });
    await tab.locator(".skip").focus();
    await number.focus();
    found.focused = await tip.innerText();
    await number.press("Enter");
    found.entered = [await text(), await tab.evaluate(() => document.getElementById("card").contains(document.activeElement)), new URL(tab.url()).hash];
    await tab.keyboard.press("Escape");
    found.escaped = await text();
    found.back = await number.evaluate((element) => element === document.activeElement);

    // A computed number and an assumed one: neither is said to be printed.
    await tab.locator("p a.computed[data-how]").first().click();
    found.computed = await text();
    await card.locator(".list a").first().click();
    found.input = await text();
    await card.getByText("Back", { exact: true }).click();
    found.computedAgain = await text();

    // Back closes the card; the address opens it again.
    const address = tab.url();
    await tab.goBack();
    await card.waitFor({ state: "hidden" });
    found.closed = new URL(tab.url()).hash;
    await tab.goto(address);
    await tab.reload();
    found.reopened = await text();
    await tab.keyboard.press("Escape");

    const marks = tab.locator("#plot-long_view .mark[role=button]");
    const mark = marks.nth(3);
    await mark.scrollIntoViewIfNeeded();
    const box = await mark.boundingBox();
    await tab.mouse.move(box.x + box.width / 2 + 3, box.y + box.height / 2);
    await tip.waitFor({ state: "visible" });
    found.mark = { ids: await mark.getAttribute("data-ids"), hovered: await tip.innerText() };
    await tab.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    found.mark.clicked = await text();
    await tab.keyboard.press("Escape");
    await marks.first().focus();
    await marks.first().scrollIntoViewIfNeeded();
    await tab.waitForTimeout(200); // a scroll hides the value, and ends after the focus that caused it
    await tab.keyboard.press("ArrowRight");
    await tip.waitFor({ state: "visible" });
    found.mark.next = { ids: await marks.nth(1).getAttribute("data-ids"), shown: await tip.innerText() };
    found.mark.stops = await tab.locator("#plot-long_view .mark[tabindex='0']").count();
    await tab.keyboard.press("Enter");
    found.mark.entered = await tab.evaluate(() => document.getElementById("card").contains(document.activeElement));
    const before = await tab.evaluate(() => scrollY);
    const inputs = card.locator(".list a"); // of a mark that several numbers stand behind
    if (await inputs.count()) await inputs.first().click();
    await card.getByText("Row in all published numbers").first().click();
    found.row = await tab.evaluate(() => document.activeElement.closest("tr")?.id);
    await tab.goBack();
    await tab.waitForFunction((before) => Math.abs(scrollY - before) < 200, before);

    const plot = tab.locator("#plot-growth");
    found.png = (await saved(() => plot.getByRole("button", { name: "PNG" }).click())).bytes.subarray(0, 24).toString("base64");
    found.svg = (await saved(() => plot.getByRole("button", { name: "SVG" }).click())).bytes.toString();
    found.csv = (await saved(() => plot.getByText("Numbers (CSV)").click())).bytes.toString();
    await plot.getByText("Numbers as a table").click();
    await plot.locator(".table tbody tr").first().waitFor(); // the table is made when it is first opened
    found.rows = await plot.locator(".table tbody tr").count();

    const status = tab.locator("#filters [role=status]");
    await tab.locator("nav").getByText("All published numbers").click();
    await tab.getByRole("button", { name: "Clear" }).click();
    await tab.locator("#filter-search").fill("absence");
    found.synonym = await tab.locator("#all tbody tr td:nth-child(4)").allInnerTexts();
    await tab.locator("#filter-search").fill("mediazona 2023");
    await tab.locator("#filter-offence").selectOption("has 338");
    found.filtered = await status.innerText();
    await tab.reload();
    found.kept = await status.innerText();
    await tab.getByRole("button", { name: "Published number" }).click();
    found.sorted = await tab.locator("#all tbody tr td:nth-child(2)").allInnerTexts();
    const download = await saved(() => tab.locator("#download").click());
    found.download = { name: download.name, text: download.bytes.toString() };
    await tab.getByRole("button", { name: "Clear" }).click();
    found.all = (await saved(() => tab.locator("#download").click())).bytes.toString();
    found.ran = await tab.evaluate(() => window.bad);

    // A number computed from many: a list, one of them, back, all of them in the table.
    await tab.locator("p a.n", { hasText: /^6$/ }).click();
    found.several = { listed: await card.locator(".list li").count(), said: await card.locator(".kind").innerText() };
    await card.locator(".list a").nth(1).click();
    found.several.one = await text();
    await card.getByText("Back", { exact: true }).click();
    await card.getByRole("button", { name: "Show them in the table" }).click();
    found.several.rows = await tab.locator("#all tbody tr").evaluateAll((rows) => rows.map((row) => row.id));
    await tab.getByRole("button", { name: "Clear" }).click();
    found.several.cleared = await status.innerText();
    await tab.evaluate(() => { location.hash = "#F99999"; });
    await tab.waitForFunction(() => document.querySelector("#filters [role=status]").textContent.includes("F99999"));
    found.unknown = await status.innerText();
    await tab.context().close();

    const phone = await open(360, "light", { hasTouch: true });
    await phone.locator("a.n").first().tap();
    found.tapped = await phone.locator("#card").innerText();
    await phone.locator("#card .close").tap();
    found.phone = await phone.evaluate(() => {
      const [wide, narrow] = [".wide", ".narrow"].map((name) => document.querySelector(`#plot-growth ${name}`));
      const frame = document.querySelector("#plot-growth .plot");
      const letters = [...narrow.querySelectorAll("text")].map((each) => each.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height));
      return { wide: wide.offsetHeight, narrow: narrow.offsetHeight, scrolls: frame.scrollWidth > frame.clientWidth, letters: Math.min(...letters) };
    });
    const dot = phone.locator("#plot-growth .narrow .mark[role=button]").first();
    await dot.scrollIntoViewIfNeeded();
    const at = await dot.boundingBox();
    await phone.touchscreen.tap(at.x + at.width / 2, at.y + at.height / 2);
    found.phone.shown = await phone.locator("#card").innerText();
    found.phone.ids = await dot.getAttribute("data-ids");
    found.phone.covered = await phone.evaluate(() => {
      const [card, plot] = ["#card", "#plot-growth .plot"].map((name) => document.querySelector(name).getBoundingClientRect());
      return card.top < plot.bottom && plot.top < card.bottom;
    });
    await phone.context().close();

    const plain = await open(1440, "light", { javaScriptEnabled: false });
    await plain.locator("a.n").first().click();
    found.plain = { at: new URL(plain.url()).hash, rows: await plain.locator("#all table:first-of-type > tbody:first-of-type > tr").count() };
    await plain.context().close();
  },

  /** What opens a folded part: a link, the address, a card, Back, print; and what without the script. */
  async fold() {
    const visible = (tab, place) => tab.evaluate((place) => document.getElementById(place).checkVisibility({ contentVisibilityAuto: true }), place);
    const top = (tab, place) => tab.evaluate((place) => Math.round(document.getElementById(place).getBoundingClientRect().top), place);
    const tab = await open(360, "light");
    found.places = await tab.evaluate(() => ["number-last-b-0f", "plot-offences", "filter-search"].map((place) => [place, document.getElementById(place).closest(".part").id]));
    const all = () => Promise.all(found.places.map(([place]) => visible(tab, place)));
    // Chromium may draw what an open section holds some frames later: wait until it is `seen`, or not, two seconds at most.
    const drawn = async (tab, place, seen) => {
      for (let tries = 0; tries < 40 && (await visible(tab, place)) !== seen; tries++) await tab.waitForTimeout(50);
      return visible(tab, place);
    };
    found.first = await all();
    found.summaries = await tab.locator(".part > summary").allInnerTexts();
    await tab.locator("nav").getByText("All published numbers").click();
    found.linked = [...await all(), await top(tab, "numbers")];
    await tab.locator("#filter-search").fill("mediazona 2023");
    const searched = tab.url();
    await tab.goBack();
    found.back = await tab.evaluate(() => scrollY);

    await tab.goto("about:blank");
    await tab.goto(searched);
    found.searched = [await visible(tab, "filter-search"), await tab.locator("#filters [role=status]").innerText()];
    await tab.evaluate(() => { location.hash = "#plot-offences"; });
    await tab.waitForFunction(() => document.getElementById("plot-offences").checkVisibility({ contentVisibilityAuto: true }));
    found.hash = await top(tab, "plot-offences");

    await tab.goto("about:blank");
    await tab.goto(address + "#number-last-b-0f");
    found.card = [await visible(tab, "number-last-b-0f"), await tab.locator("#card").innerText()];
    await tab.locator("#card").getByText("Row in all published numbers").click();
    found.row = [await visible(tab, "F147"), await tab.evaluate(() => document.activeElement.closest("tr")?.id)];

    await tab.goto("about:blank");
    await tab.goto(address);
    found.closed = await all();
    await tab.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const allDrawn = (seen) => Promise.all(found.places.map(([place]) => drawn(tab, place, seen)));
    found.printed = await allDrawn(true);
    await tab.evaluate(() => dispatchEvent(new Event("afterprint")));
    found.after = await allDrawn(false);
    await tab.context().close();

    const plain = await open(360, "light", { javaScriptEnabled: false });
    found.plain = [await visible(plain, "plot-offences")];
    await plain.emulateMedia({ media: "print" });
    found.plain.push(await drawn(plain, "plot-offences", true));
    await plain.emulateMedia({ media: "screen" });
    await plain.goto(address + "#plot-offences");
    found.plain.push(await drawn(plain, "plot-offences", true));
    await plain.context().close();
  },

  /** How long the table takes to filter, in milliseconds, layout included. */
  async filter() {
    const tab = await open(1440, "light");
    await tab.locator("nav").getByText("All published numbers").click();
    found.milliseconds = await tab.evaluate(() => {
      const times = [];
      const search = document.getElementById("filter-search");
      for (const words of ["court 2023", "mediazona", "art. 337", "", "insider"]) {
        const start = performance.now();
        search.value = words;
        search.dispatchEvent(new Event("input"));
        document.body.offsetHeight; // lays the page out
        times.push(performance.now() - start);
      }
      return times;
    });
    found.count = await tab.locator("#filters [role=status]").innerText();
  },
};

await tasks[task]();
await browser.close();
process.stdout.write(JSON.stringify(found));
