// Signing in, in a real browser with the real programs: who may see, who may take alerts, and what ends it.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test as unlimited } from "node:test";
import { BackOffice, until } from "./back-office.mjs";
import { openBrowser, openPage } from "./browser.mjs";
import { assertShape } from "./schemas.mjs";

const desk = { width: 1440, height: 900 };
const passwords = { "Anna Krause": "correct horse battery", Bert: "viewers see and wait" };
let browser, office;
const test = (name, run) =>
  unlimited(name, { timeout: 60_000 }, () =>
    run().catch((error) => {
      throw new Error(`${error.message}\nThe programs said:\n${office.said.slice(-3000)}`, { cause: error });
    }),
  );
// A browser says when it is refused, and when a stream ends in the middle; nothing else is forgiven.
const forgiven = /status of (401|403)|net::ERR_INCOMPLETE_CHUNKED_ENCODING/;
const open = (address) => openPage(browser, office.address + address, { ...desk, forgiven });

before(async () => {
  browser = await openBrowser();
  office = await BackOffice.start({
    users: [["Anna Krause", "supervisor", passwords["Anna Krause"]], ["Bert", "viewer", passwords.Bert]],
  });
  await until("the gateway answers", async () => (await fetch(`${office.address}/healthz`)).ok);
  office.startSource();
  office.sendAgent("a1", { loggedIn: { queues: ["sales"] } });
  office.send(...[1, 2, 3, 4].map((n) => [`late-${n}`, { offered: { queue: "sales" } }]));
});
after(async () => {
  await browser.close();
  await office.stop();
});

const json = { "content-type": "application/json" };
const post = (path, body = {}, headers = {}) =>
  fetch(office.address + path, { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) });
const signIn = (name, password = passwords[name]) => post("/api/v1/sign-in", { name, password });
const cookieOf = (response) => response.headers.get("set-cookie").split(";")[0];
const get = (path, cookie = "") => fetch(office.address + path, { headers: { cookie } });
const fillIn = async (page, name, password = passwords[name]) => {
  await page.locator('[name="name"]').fill(name);
  await page.locator('[name="password"]').fill(password);
  await page.keyboard.press("Enter");
};

test("without a session there is the form, its files, and nothing else", async () => {
  for (const path of ["state", "alerts", "staffing", "history?segment=dealers", "board", "stream", "me", "tickets", "openapi.json", "nothing"]) {
    const answer = await get(`/api/v1/${path}`);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assertShape("Error", await answer.json());
  }
  assert.equal((await post("/api/v1/alerts/x/acknowledge", { by: "x" })).status, 401);
  assert.equal((await post("/api/v1/tickets", { name: "x" })).status, 401);
  for (const cookie of ["reach-session=guess", "reach-ticket=guess", "reach-session=", "x"]) {
    assert.equal((await get("/api/v1/state", cookie)).status, 401);
  }
  assert.equal((await get("/")).status, 200);
  assert.equal((await get("/healthz")).status, 200);
});

test("the form says that it was wrong, not what, and lets in", async () => {
  const page = await open("/supervisor?lang=de");
  await page.locator(".sign-in").waitFor();
  await fillIn(page, "Anna Krause", "not the password");
  await page.getByText("Name oder Passwort stimmt nicht").waitFor();
  await fillIn(page, "Nobody", "not the password");
  await page.getByText("Name oder Passwort stimmt nicht").waitFor();
  assert.match(office.said, /sign-in of "Nobody" from 127\.0\.0\.1 refused; 2 since the start/);
  await fillIn(page, "Anna Krause");
  await page.locator(".top .who").getByText("Anna Krause").waitFor();
  assert.equal(new URL(page.url()).search, "?lang=de", "no password in the address");
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path, cookie.expires], [true, "Strict", "/", -1]);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads it");
  await page.finish();
});

test("a known and an unknown name take the same time", async () => {
  // Not right away: the limit would tell nothing.
  const took = async (name) => {
    const began = performance.now();
    assert.equal((await signIn(name, "not the password")).status, 401);
    return performance.now() - began;
  };
  const known = Math.min(await took("Bert"), await took("Bert"));
  const unknown = Math.min(await took("Nobody"), await took("Nobody"));
  assert.ok(Math.min(known, unknown) > 0.3 * Math.max(known, unknown), `${known} ms and ${unknown} ms`);
});

test("a supervisor takes an alert, in the name that signed in", async () => {
  const page = await open("/supervisor?lang=en");
  await fillIn(page, "Anna Krause");
  const card = page.locator('.alert[data-state="firing"]').first();
  await card.locator(".take").click();
  assert.equal(await card.locator('[name="by"]').inputValue(), "Anna Krause");
  await card.locator('[name="note"]').fill("two come");
  await page.keyboard.press("Enter");
  await card.locator(".taken").waitFor();
  assert.match(await office.ctl("alerts", "--json"), /"by":"Anna Krause"/);

  const cookie = cookieOf(await signIn("Anna Krause"));
  const alert = await card.getAttribute("data-alert");
  const taken = await post(`/api/v1/alerts/${encodeURIComponent(alert)}/acknowledge`, { by: "Mallory", note: "x" }, { cookie });
  assert.equal((await taken.json()).acknowledged.by, "Anna Krause", "whatever the body says");
  await page.finish();
});

test("a viewer sees, and changes nothing", async () => {
  const page = await open("/supervisor?lang=en");
  await fillIn(page, "Bert");
  await page.locator(".alert").first().waitFor();
  assert.equal(await page.locator(".take, .tickets").count(), 0);
  await page.finish();

  const cookie = cookieOf(await signIn("Bert"));
  const me = await (await get("/api/v1/me", cookie)).json();
  assertShape("Me", me);
  assert.deepEqual(me, { name: "Bert", role: "viewer", screen: false, sign_in: true });
  for (const [path, body] of [["alerts/x/acknowledge", { note: "x" }], ["tickets", { name: "x" }], ["tickets/x/revoke", {}]]) {
    const answer = await post(`/api/v1/${path}`, body, { cookie });
    assert.equal(answer.status, 403, path);
    assert.match((await answer.json()).error.message, /only supervisors/);
  }
  assert.equal((await get("/api/v1/tickets", cookie)).status, 403);
});

test("another site's page changes nothing, whoever is signed in", async () => {
  const cookie = cookieOf(await signIn("Anna Krause"));
  const foreign = { cookie, origin: "http://evil.example" };
  for (const path of ["alerts/x/acknowledge", "tickets", "tickets/x/revoke", "sign-out", "sign-in"]) {
    assert.equal((await post(`/api/v1/${path}`, { name: "x" }, foreign)).status, 403, path);
    assert.equal((await post(`/api/v1/${path}`, { name: "x" }, { cookie, "content-type": "text/plain" })).status, 415, path);
  }
  assert.equal((await get("/api/v1/me", cookie)).status, 200, "still signed in");
});

test("signing out ends the streams of the session, and shows the form everywhere", async () => {
  const first = await open("/?lang=en");
  await fillIn(first, "Bert");
  await first.locator(".tile").first().waitFor();
  const second = await first.context().newPage();
  await second.goto(`${office.address}/?lang=en`);
  await second.locator(".tile").first().waitFor();
  await first.locator(".top .link").click();
  await first.locator(".sign-in").waitFor();
  await second.locator(".sign-in").waitFor();
  assert.deepEqual(await first.context().cookies(), []);
  await first.finish();

  const cookie = cookieOf(await signIn("Bert"));
  const stream = await get("/api/v1/stream", cookie);
  const other = await get("/api/v1/stream", cookieOf(await signIn("Bert")));
  assert.equal((await post("/api/v1/sign-out", {}, { cookie })).status, 200);
  let bytes = 0;
  for await (const part of stream.body) bytes += part.length;
  assert.ok(bytes > 0, "it had begun");
  assert.equal((await get("/api/v1/state", cookie)).status, 401);
  assert.ok((await other.body.getReader().read()).value.length > 0, "another session's goes on");
});

test("a screen opens its link once, shows no ticket, and sees until it is revoked", async () => {
  const page = await open("/supervisor?lang=en");
  await fillIn(page, "Anna Krause");
  await page.locator('[name="screen"]').fill("Lobby");
  await page.keyboard.press("Enter");
  const link = await page.locator(".ticket-link input").inputValue();
  assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/\?mode=tv&ticket=[\w-]{43}$/);
  const secret = new URL(link).searchParams.get("ticket");
  assert.ok(!(await readFile(join(office.folder, "users"), "utf8")).includes(secret), "kept as a fingerprint");
  assert.ok(!office.said.includes(secret), "not in the log");

  const screen = await openPage(browser, link, { width: 1920, height: 1080, forgiven });
  await screen.locator(".tile").first().waitFor();
  assert.equal(screen.url(), `${office.address}/?mode=tv`);
  assert.ok(!(await screen.evaluate(() => performance.getEntriesByType("resource").map((e) => e.name).join() + document.referrer)).includes(secret));
  const [cookie] = await screen.context().cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["reach-ticket", true, "Strict"]);
  const as_screen = `${cookie.name}=${cookie.value}`;
  assert.deepEqual(await (await get("/api/v1/me", as_screen)).json(), { name: "Lobby", role: "viewer", screen: true, sign_in: true });
  assert.equal((await post("/api/v1/alerts/x/acknowledge", { note: "x" }, { cookie: as_screen })).status, 403);

  assert.equal(await office.end("gateway"), 0);
  office.startGateway();
  await until("the screen sees again after a restart, by itself", async () => (await screen.locator(".tile:not([data-status=stale])").count()) > 0);

  await page.locator(".sign-in").waitFor(); // sessions do not outlive the gateway
  await fillIn(page, "Anna Krause");
  const entry = page.locator('[data-ticket="Lobby"]');
  await entry.locator("button").click();
  await screen.locator(".sign-in").waitFor();
  await entry.waitFor({ state: "detached" });
  assert.equal((await get("/api/v1/state", as_screen)).status, 401);
  assert.equal((await fetch(link, { redirect: "manual" })).status, 403);
  await screen.context().close(); // it saw the gateway away
  await page.context().close();
});

test("a ticket from the command line is good after SIGHUP, and gone after another", async () => {
  const link = await office.gateway(["--ticket", "Fair", "--valid-for", "2d"]);
  const opened = async () => (await fetch(link, { redirect: "manual" })).status;
  assert.equal(await opened(), 403);
  office.signal("gateway", "SIGHUP");
  await until("the ticket is good", async () => (await opened()) === 303);
  assert.match(await office.gateway(["--accounts"]), /ticket {6}Fair \(since .*, until .*\)/);
  const stream = await get("/api/v1/stream", cookieOf(await fetch(link, { redirect: "manual" })));
  await office.gateway(["--remove-ticket", "Fair"]);
  office.signal("gateway", "SIGHUP");
  for await (const part of stream.body) assert.ok(part.length > 0); // until it ends
  assert.equal(await opened(), 403);
});

test("a bad file of users keeps the old one", async () => {
  const file = join(office.folder, "users");
  const good = await readFile(file, "utf8");
  await writeFile(file, "user boss x y\n");
  office.signal("gateway", "SIGHUP");
  await until("it says why", () => /users:1:1: unknown role/.test(office.said));
  assert.equal((await signIn("Bert")).status, 200);
  await writeFile(file, good);
});

test("guessing is slowed down, with the same answer for every name, while others go on", async () => {
  const bert = cookieOf(await signIn("Bert"));
  const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => signIn(`Guess ${i}`, "not the password")));
  assert.ok(answers.some((a) => a.status === 429));
  const limited = await signIn("Anna Krause");
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get("retry-after")) >= 1);
  assert.equal((await get("/api/v1/me", bert)).status, 200);
});

test("requests that never end, or are too long, cost nobody else anything", async () => {
  const dialogue = (text) =>
    new Promise((done) => {
      let got = "";
      const socket = connect(office.ports[4], "127.0.0.1", () => socket.write(text));
      socket.on("data", (part) => (got += part));
      socket.on("error", () => {});
      socket.on("close", () => done(got));
    });
  const head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
  const tooLong = await Promise.all([
    dialogue(`${head}Content-Length: 100000\r\n\r\n${"x".repeat(100000)}`),
    dialogue(`GET /?${"x".repeat(10000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
    dialogue(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(10000)}\r\n\r\n`),
    dialogue(`GET / HTTP/1.1\r\n${Array.from({ length: 100 }, (_, i) => `X${i}: x\r\n`).join("")}\r\n`),
  ]);
  for (const answer of tooLong) assert.doesNotMatch(answer, / 200 /);
  const began = performance.now();
  const slow = connect(office.ports[4], "127.0.0.1", () => slow.write(head));
  const drip = setInterval(() => slow.write("X: y\r\n"), 500); // a little at a time does not win more time
  slow.on("error", () => {});
  await new Promise((done) => slow.on("close", done));
  clearInterval(drip);
  const took = (performance.now() - began) / 1000;
  assert.ok(took > 10 && took < 25, `${took} s`);
  assert.equal((await get("/healthz")).status, 200);
});
