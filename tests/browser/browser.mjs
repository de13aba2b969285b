// Debian's Chromium, quiet: it talks to nobody but the page's own server.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });

/// Opens `address` in a window of its own and keeps the accounts of it: `page.finish()` closes it and fails if it said
/// an error, broke its content security policy or asked another host for anything. `forgiven`: errors that belong to
/// the test.
export async function openPage(browser, address, { width, height, forgiven = /^$/, ...options }) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type()) && !forgiven.test(line.text())) wrong.push(line.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(address).origin) wrong.push(`asked ${request.url()}`);
  });
  await page.goto(address);
  page.finish = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return page;
}
