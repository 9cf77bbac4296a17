// Opens pages of the report in a real browser and says, as JSON, what it found. The tests in tests/test_report_browser.py judge.
// usage: node check.mjs BROWSER PAGE [open|use|filter]; PAGE is a file, or an address on this machine
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
  /** Every width and theme: how wide the page is, what axe-core says; how long the page takes to be ready. */
  async open() {
    found.views = [];
    for (const width of [360, 768, 1440]) {
      for (const scheme of ["light", "dark"]) {
        const tab = await open(width, scheme);
        const [wide, ready] = await tab.evaluate(() => [document.documentElement.scrollWidth, "ready" in document.documentElement.dataset]);
        const milliseconds = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
        await tab.evaluate(axe);
        // What a theme changes is colours; all else was looked over in the light one.
        const rules = scheme === "dark" ? { runOnly: ["color-contrast"] } : {};
        const { violations } = await tab.evaluate((rules) => axe.run({ resultTypes: ["violations"], ...rules }), rules);
        const bad = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        found.views.push({ width, scheme, wide, ready, milliseconds, violations: bad.map(({ id, nodes }) => `${id}: ${nodes[0].target}`) });
        await tab.context().close();
      }
    }
  },

  /** The card by mouse, keyboard and touch; the table's filter, sort and download; the page without its script. */
  async use() {
    const tab = await open(1440, "light");
    const card = tab.locator("#card");
    const text = async () => ((await card.isVisible()) ? card.innerText() : "");
    const number = tab.locator("a.n").first();
    await number.hover();
    await card.waitFor({ state: "visible" });
    found.hovered = await text();
    await tab.mouse.move(2, 2);
    await card.waitFor({ state: "hidden" });
    await number.focus();
    found.focused = await text();
    await tab.keyboard.press("Escape");
    found.escaped = await text();
    await number.press("Enter");
    found.entered = [await text(), await tab.evaluate(() => document.getElementById("card").contains(document.activeElement))];
    await tab.keyboard.press("Escape");
    found.back = await number.evaluate((element) => element === document.activeElement);

    const marks = tab.locator("#plot-long_view .mark[role=button]");
    const mark = marks.nth(3);
    await mark.scrollIntoViewIfNeeded();
    const box = await mark.boundingBox();
    await tab.mouse.move(box.x + box.width / 2 + 3, box.y + box.height / 2);
    await card.waitFor({ state: "visible" });
    found.mark = { ids: await mark.getAttribute("data-ids"), hovered: await text() };
    await tab.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    found.mark.clicked = await text();
    await tab.keyboard.press("Escape");
    await marks.first().focus();
    await marks.first().scrollIntoViewIfNeeded();
    await tab.waitForTimeout(200); // a scroll hides the card, and ends after the focus that caused it
    await tab.keyboard.press("ArrowRight");
    await card.waitFor({ state: "visible" });
    found.mark.next = { ids: await marks.nth(1).getAttribute("data-ids"), shown: await text() };
    found.mark.stops = await tab.locator("#plot-long_view .mark[tabindex='0']").count();
    await tab.keyboard.press("Enter");
    found.mark.entered = await tab.evaluate(() => document.getElementById("card").contains(document.activeElement));
    await card.getByText("Row in the table").first().click();
    found.row = await tab.evaluate(() => document.activeElement.closest("tr")?.id);

    await tab.getByRole("button", { name: "Clear" }).click();
    await tab.locator("#filter-offence").selectOption("has 338");
    await tab.locator("#filter-search").fill("mediazona 2023");
    found.filtered = await tab.locator("#filters [role=status]").innerText();
    await tab.getByRole("button", { name: "As printed" }).click();
    found.sorted = await tab.locator("#all tbody tr td:nth-child(2)").allInnerTexts();
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.locator("#download").click()]);
    found.download = { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    await tab.getByRole("button", { name: "Clear" }).click();
    const [all] = await Promise.all([tab.waitForEvent("download"), tab.locator("#download").click()]);
    found.all = readFileSync(await all.path(), "utf8");
    found.ran = await tab.evaluate(() => window.bad);

    // A number that many statements stand behind: a list, one of them, back, all of them in the table.
    await tab.locator("p a.n", { hasText: /^6$/ }).click();
    found.several = { listed: await card.locator(".list li").count(), said: await card.locator("p").first().innerText() };
    await card.locator(".list a").nth(1).click();
    found.several.one = await text();
    await card.getByText("Back to all").click();
    await card.getByRole("button", { name: "Show them in the table" }).click();
    found.several.rows = await tab.locator("#all tbody tr").evaluateAll((rows) => rows.map((row) => row.id));
    await tab.getByRole("button", { name: "Clear" }).click();
    found.several.cleared = await tab.locator("#filters [role=status]").innerText();
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
    const place = await phone.locator("#card").boundingBox();
    found.phone.covered = place.y < at.y + at.height / 2 && at.y + at.height / 2 < place.y + place.height;
    await phone.context().close();

    const plain = await open(1440, "light", { javaScriptEnabled: false });
    await plain.locator("a.n").first().click();
    found.plain = { at: new URL(plain.url()).hash, rows: await plain.locator("#all tbody tr").count() };
    await plain.context().close();
  },

  /** How long the table takes to filter, in milliseconds, layout included. */
  async filter() {
    const tab = await open(1440, "light");
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
