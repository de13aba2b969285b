// Takes the pictures a person should look at after a change of the page: node screenshots.mjs DIRECTORY [NAME…]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser } from "./browser.mjs";
import { serveScene } from "./mock-server.mjs";

const tv = { width: 1920, height: 1080 };
const phone = { width: 390, height: 844 };
const desk = { width: 1440, height: 900 };
const anna = { name: "Anna Krause", role: "supervisor", screen: false, sign_in: true };
const shots = [
  ...["quiet", "busy", "breached", "stale", "lost", "closed", "one", "four", "nine", "twenty", "empty"].flatMap((scene) => [
    { name: `tv-${scene}-de`, scene, size: tv, address: "/?mode=tv&lang=de" },
  ]),
  { name: "tv-breached-en", scene: "breached", size: tv, address: "/?mode=tv&lang=en" },
  { name: "tv-stale-en", scene: "stale", size: tv, address: "/?mode=tv&lang=en" },
  { name: "tv-busy-light-de", scene: "busy", size: tv, address: "/?mode=tv&lang=de&theme=light" },
  { name: "desk-breached-de", scene: "breached", size: desk, address: "/?lang=de&theme=light" },
  { name: "desk-stale-en", scene: "stale", size: desk, address: "/?lang=en&theme=light" },
  { name: "desk-twenty-en", scene: "twenty", size: desk, address: "/?lang=en&theme=dark" },
  { name: "phone-breached-de", scene: "breached", size: phone, address: "/?lang=de" },
  { name: "phone-stale-en", scene: "stale", size: phone, address: "/?lang=en&theme=dark" },
  { name: "supervisor-de", scene: "breached", size: desk, address: "/supervisor?lang=de&theme=light", open: true },
  { name: "supervisor-dark-en", scene: "breached", size: desk, address: "/supervisor?lang=en&theme=dark", open: true },
  { name: "supervisor-stale-de", scene: "stale", size: desk, address: "/supervisor?lang=de&theme=light" },
  { name: "supervisor-quiet-de", scene: "quiet", size: desk, address: "/supervisor?lang=de&theme=light" },
  { name: "supervisor-phone-de", scene: "breached", size: phone, address: "/supervisor?lang=de&theme=light", open: true },
  { name: "sign-in-tv-de", scene: "busy", size: tv, address: "/?mode=tv&lang=de", me: null },
  { name: "sign-in-desk-en", scene: "busy", size: desk, address: "/supervisor?lang=en&theme=light", me: null, refused: true },
  { name: "sign-in-phone-de", scene: "busy", size: phone, address: "/?lang=de&theme=light", me: null },
  { name: "signed-in-de", scene: "breached", size: tv, address: "/supervisor?lang=de&theme=light", me: anna, open: true, ticket: true },
  { name: "signed-in-phone-de", scene: "breached", size: phone, address: "/supervisor?lang=de&theme=dark", me: anna, ticket: true },
  { name: "signed-in-viewer-en", scene: "breached", size: desk, address: "/supervisor?lang=en&theme=light", me: { ...anna, role: "viewer" } },
];

const [directory = "screenshots", ...wanted] = process.argv.slice(2);
await mkdir(directory, { recursive: true });
const browser = await openBrowser();
for (const shot of shots.filter((s) => wanted.length === 0 || wanted.some((w) => s.name.includes(w)))) {
  const server = await serveScene(shot.scene, shot.me === undefined ? {} : { me: shot.me });
  const page = await browser.newPage({ viewport: shot.size, reducedMotion: "reduce" });
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && console.log(shot.name, line.text()));
  page.on("pageerror", (error) => console.log(shot.name, error.message));
  await page.goto(server.address + shot.address);
  await page.locator(".tile, .nothing, .supervisor .pool, .sign-in").first().waitFor();
  await page.waitForTimeout(700);
  if (shot.open) {
    await page.locator(".alert details summary").first().click();
    await page.locator(".alert .take").first().click();
  }
  if (shot.refused) {
    await page.locator('[name="name"]').fill("Anna Krause");
    await page.locator('[name="password"]').fill("guess");
    await page.keyboard.press("Enter");
    await page.locator(".problem:not(:empty)").waitFor();
  }
  if (shot.ticket) {
    await page.locator('[name="screen"]').fill("Schulungsraum");
    await page.keyboard.press("Enter");
    await page.locator(".ticket-link").waitFor();
  }
  await page.screenshot({ path: join(directory, `${shot.name}.png`), fullPage: shot.size !== tv });
  await page.close();
  await server.close();
}
await browser.close();
