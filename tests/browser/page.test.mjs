// The page with made-up back offices behind it: what it shows in which state, and that it fits its screen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openPage } from "./browser.mjs";
import { serveScene } from "./mock-server.mjs";
import { assertShape } from "./schemas.mjs";
import { scenes } from "../../clients/wallboard/web/fixtures/scenes.mjs";

const tv = { width: 1920, height: 1080 };
const phone = { width: 390, height: 844 };
let browser;
before(async () => (browser = await openBrowser()));
after(() => browser.close());

/// Opens `address` on a scene and hands the page to `look`.
async function see(scene, address, size, look) {
  const server = await serveScene(scene);
  const page = await openPage(browser, server.address + address, size);
  try {
    await page.locator(".tile, .nothing, .supervisor main").first().waitFor();
    await look(page);
  } finally {
    await page.finish();
    await server.close();
  }
}
const status = (page, segment) => page.locator(`[data-segment="${segment}"]`).getAttribute("data-status");
const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ");

test("the made-up back offices have the shapes of openapi.json", () => {
  for (const [name, make] of Object.entries(scenes)) {
    const scene = make(Date.now());
    assert.doesNotThrow(() => {
      assertShape("State", scene.state);
      assertShape("Connection", scene.connection);
      assertShape("Alerts", scene.alerts);
      scene.staffing.forEach((pool) => assertShape("Staffing", pool));
      Object.values(scene.histories).forEach((history) => assertShape("History", history));
    }, undefined, name);
  }
});

for (const scene of ["one", "four", "breached", "nine", "twenty", "stale", "lost"]) {
  test(`a television shows "${scene}" without scrolling, every word in its tile`, () =>
    see(scene, "/?mode=tv&lang=de", tv, async (page) => {
      await page.locator(".tile .trend canvas").first().waitFor();
      const spill = await page.evaluate(() => {
        const root = document.documentElement;
        const out = [];
        if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) out.push(`page ${root.scrollWidth}×${root.scrollHeight}`);
        for (const middle of document.querySelectorAll(".middle")) {
          for (const part of middle.querySelectorAll(".value, dl, .trend")) {
            const [inner, outer] = [part.getBoundingClientRect(), middle.getBoundingClientRect()];
            if (inner.bottom > outer.bottom + 4 || inner.top < outer.top - 4) out.push(`${part.className || part.tagName} leaves its place`);
          }
        }
        for (const tile of document.querySelectorAll(".tile")) {
          const box = tile.getBoundingClientRect();
          for (const part of tile.querySelectorAll("h2, .status, .value, dl > *, dt, dd, li, .trend")) {
            const inner = part.getBoundingClientRect();
            if (inner.right > box.right + 1 || inner.bottom > box.bottom + 1 || inner.left < box.left - 1)
              out.push(`${tile.dataset.segment} ${part.className || part.tagName} "${part.textContent}"`);
          }
        }
        return out;
      });
      assert.deepEqual(spill, []);
    }));
}

for (const [name, address] of [["board", "/?lang=de"], ["supervisor's page", "/supervisor?lang=de"]]) {
  test(`the ${name} is one column on a phone`, () =>
    see("breached", address, phone, async (page) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= phone.width, `${width} pixels wide`);
      const lefts = await page.locator(".tile, .alert, .pool").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
      assert.equal(new Set(lefts).size, 1);
    }));
}

test("a tile says its status by word, symbol and colour, and its figure with target and sample", () =>
  see("breached", "/?lang=en", tv, async (page) => {
    const tile = page.locator('[data-segment="key-accounts"]');
    const said = await text(tile);
    for (const words of ["Target missed", "62 %", "target 80%", "28 of 45", "last 30 min", "Waiting 7", "Longest 2:1", "0 of 9", "8 / 11"])
      assert.ok(said.replace("62%", "62 %").includes(words), `"${words}" in "${said}"`);
    assert.equal(await tile.locator("header .mark").getAttribute("data-status"), "breached");
  }));

test("German and English are whole pages", async () => {
  await see("breached", "/?lang=de", tv, async (page) => {
    assert.equal(await page.getAttribute("html", "lang"), "de");
    const said = await text(page.locator("body"));
    for (const words of ["Ziel verfehlt", "Im Ziel", "letzte 30 min", "Wartend", "übernommen von M. Brandt", "3 Personen fehlen"])
      assert.ok(said.includes(words), words);
    assert.doesNotMatch(said, /\b(target|missed|waiting|needed)\b/i);
  });
  await see("breached", "/?lang=en", tv, async (page) => {
    assert.equal(await page.getAttribute("html", "lang"), "en");
    assert.doesNotMatch(await text(page.locator("body")), /\b(Ziel|Wartend|Besetzt|nötig|verfehlt)\b/);
  });
});

test("only the segments asked for are shown", () =>
  see("breached", "/?segment=dealers,export&lang=en", tv, async (page) => {
    assert.equal(await page.locator(".tile").count(), 2);
    assert.ok(!(await text(page.locator(".strip"))).includes("Großkunden Long wait"));
  }));

test("old figures are grey, say their age, and are never good", () =>
  see("stale", "/?lang=en", tv, async (page) => {
    assert.equal(await status(page, "service"), "stale");
    assert.equal(await status(page, "export"), "met");
    assert.match(await text(page.locator('[data-segment="service"] .status')), /Stale for 1:\d\d/);
    assert.equal(await page.locator('.tile[data-status="stale"] .mark:not([data-status="stale"])').count(), 0);
  }));

test("without the daemon the whole board is grey and counts the seconds", () =>
  see("lost", "/?lang=en", tv, async (page) => {
    await page.locator(".top .lost").waitFor();
    assert.equal(await page.locator('.tile:not([data-status="stale"])').count(), 0);
    const age = async () => /for (\d+):(\d\d)/.exec(await text(page.locator(".top .lost"))).slice(1).join("");
    const first = await age();
    await page.waitForTimeout(1600);
    assert.notEqual(await age(), first);
  }));

test("the longest wait ticks by itself", () =>
  see("breached", "/?lang=en", tv, async (page) => {
    const wait = page.locator('[data-segment="key-accounts"] .now dd').nth(1);
    const first = await wait.innerText();
    await page.waitForTimeout(2100);
    assert.notEqual(await wait.innerText(), first);
  }));

test("an alert is taken with the keyboard alone", () =>
  see("breached", "/supervisor?lang=en", { width: 1440, height: 900 }, async (page) => {
    const alert = page.locator('[data-alert="a-1"]');
    await alert.locator(".take").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter"); // no name yet
    assert.match(await text(alert.locator(".problem")), /enter your name/);
    await page.keyboard.press("Escape");
    assert.equal(await alert.locator("form").count(), 0);
    await alert.locator(".take").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("A. Krause");
    await page.keyboard.press("Tab");
    await page.keyboard.type("two more are coming");
    await page.keyboard.press("Enter");
    await alert.locator(".taken").waitFor();
    assert.match(await text(alert.locator(".taken")), /Taken by A\. Krause, \d\d:\d\d.*two more are coming/);
    assert.equal(await alert.locator(".take").count(), 0);
  }));

test("the supervisor sees why, what would help, and how many people are needed", () =>
  see("breached", "/supervisor?lang=en", { width: 1440, height: 900 }, async (page) => {
    const alert = page.locator('[data-alert="a-1"]');
    await alert.locator("summary").click();
    const said = await text(alert);
    for (const words of ["What would help 3 more people until 11:30", "pbx1/c-88101", "Decided 45", "last 30 min"])
      assert.ok(said.includes(words), `"${words}" in "${said}"`);
    const pool = await text(page.locator('[data-pool="key-accounts"]'));
    assert.match(pool, /11 8 ▲? ?3 21/);
    assert.match(pool, /calls of 263 s each keep 10 people busy/);
  }));

test("who wants less motion gets none", () =>
  see("breached", "/?lang=en", { ...tv, reducedMotion: "reduce" }, async (page) => {
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((e) => getComputedStyle(e).transitionDuration !== "0s" || getComputedStyle(e).animationName !== "none").length);
    assert.equal(moving, 0);
  }));
