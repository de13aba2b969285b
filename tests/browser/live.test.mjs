// The page in a real browser, the real gateway, the real daemon, events from a source: one story from top to bottom.
import assert from "node:assert/strict";
import { after, before, test as unlimited } from "node:test";
import { BackOffice, stale_after_s, until } from "./back-office.mjs";
import { openBrowser, openPage } from "./browser.mjs";
import { assertShape, eventSchemas, openapi } from "./schemas.mjs";

const tv = { width: 1920, height: 1080 };
let browser, office, board;
const test = (name, run) =>
  unlimited(name, { timeout: 60_000 }, () =>
    run().catch((error) => {
      throw new Error(`${error.message}\nThe programs said:\n${office.said.slice(-3000)}`, { cause: error });
    }),
  );
// While a program is away the browser says so; nothing else is forgiven.
const forgiven = /net::ERR_CONNECTION_REFUSED|net::ERR_INCOMPLETE_CHUNKED_ENCODING|net::ERR_CONNECTION_RESET|net::ERR_EMPTY_RESPONSE|status of 503/;

before(async () => {
  browser = await openBrowser();
  office = await BackOffice.start();
  await until("the gateway hears the daemon", async () => (await fetch(`${office.address}/api/v1/state`)).ok);
  office.startSource();
  office.sendAgent("a1", { loggedIn: { queues: ["sales"] } });
  office.sendAgent("a2", { loggedIn: { queues: ["dealers"] } });
  board = await openPage(browser, `${office.address}/?mode=tv&lang=de`, { ...tv, forgiven });
});
after(async () => {
  await browser.close();
  await office.stop();
});

const tile = (page, segment) => page.locator(`[data-segment="${segment}"]`);
const status = (page, segment) => tile(page, segment).getAttribute("data-status");
const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ");
const json = async (path) => (await fetch(office.address + path)).json();
const answered = (n, queue, agent) =>
  Array.from({ length: n }, (_, i) => [`${queue}-${i}`, { offered: { queue } }]).flatMap((offer) => [offer, [offer[0], { answered: { agent } }]]);

test("calls reach the tiles", async () => {
  office.send(...answered(6, "dealers", "a2"), ["w1", { received: { queue: "mail", service: "letters" } }]);
  office.send(["s1", { offered: { queue: "sales" } }]);
  await until("dealers is met", async () => (await status(board, "dealers")) === "met");
  await until("a caller waits", async () => /Wartend 1/.test(await text(tile(board, "key-accounts"))));
  const said = await text(tile(board, "dealers"));
  for (const words of ["Dealers", "Im Ziel", "100", "6 von 6", "Ziel 80 %", "1 offen"]) assert.ok(said.includes(words), `"${words}" in "${said}"`);
  office.send(["s1", { answered: { agent: "a1" } }]);
});

test("a missed promise fills its tile, and its alert stands below", async () => {
  office.send(...[1, 2, 3, 4].map((n) => [`late-${n}`, { offered: { queue: "sales" } }]));
  await until("key-accounts is breached", async () => (await status(board, "key-accounts")) === "breached");
  await until("the alert is shown", async () => /Key accounts Ziel verfehlt/.test(await text(board.locator(".strip"))));
  assert.match(await text(tile(board, "key-accounts")), /1 von 5/);
});

test("every answer has the shape that openapi.json says", async () => {
  assertShape("State", await json("/api/v1/state"));
  assertShape("Alerts", await json("/api/v1/alerts"));
  assertShape("StaffingList", await json("/api/v1/staffing"));
  assertShape("History", await json("/api/v1/history?segment=dealers"));
  assertShape("Board", await json("/api/v1/board"));
  assertShape("Error", await json("/api/v1/history?segment=nobody"));
  assert.deepEqual(await json("/api/v1/openapi.json"), openapi);

  const stop = new AbortController();
  const stream = await fetch(`${office.address}/api/v1/stream`, { signal: stop.signal });
  assert.match(stream.headers.get("content-type"), /^text\/event-stream/);
  let received = "";
  const seen = new Set();
  const reading = (async () => {
    for await (const part of stream.body) received += Buffer.from(part).toString();
  })().catch(() => {});
  office.send(["more", { offered: { queue: "dealers" } }], ["more", { answered: { agent: "a2" } }]);
  await until("a change on the stream", () => /"complete":false,"segments":\[\{/.test(received));
  stop.abort();
  await reading;
  for (const event of received.split("\n\n").slice(0, -1)) {
    const [, name, content] = /^event: (\w+)\ndata: (.*)$/.exec(event);
    assert.ok(eventSchemas[name], `event ${name} is documented`);
    assertShape(eventSchemas[name], JSON.parse(content));
    seen.add(name);
  }
  assert.deepEqual([...seen].sort(), ["alerts", "connection", "staffing", "state"]);
});

test("the page keeps its visitors safe", async () => {
  const page = await fetch(`${office.address}/`);
  const policy = page.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*|data:/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const html = await page.text();
  assert.doesNotMatch(html, /<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/);

  const path = "/api/v1/alerts/x/acknowledge";
  const post = (headers, body = '{"by":"x"}') => fetch(office.address + path, { method: "POST", headers, body }).then((r) => r.status);
  assert.equal(await post({ "content-type": "application/json" }), 404, "no such alert");
  assert.equal(await post({ "content-type": "application/json", origin: "http://evil.example" }), 403);
  assert.equal(await post({ "content-type": "text/plain" }), 415);
  assert.equal(await post({ "content-type": "application/json" }, "{}"), 400);
});

test("an alert taken in the page is taken in the daemon, and on every other page", async () => {
  const page = await openPage(browser, `${office.address}/supervisor?lang=en`, { width: 1440, height: 900 });
  const card = page.locator('.alert[data-state="firing"]').first();
  await card.locator(".take").click();
  await card.locator('[name="by"]').fill("A. Krause");
  await card.locator('[name="note"]').fill("Zwei kommen dazu");
  await page.keyboard.press("Enter");
  await card.locator(".taken").waitFor();
  assert.match(await text(card.locator(".taken")), /Taken by A\. Krause/);
  const line = await office.ctl("alerts", "--json");
  assert.match(line, /"by":"A\. Krause"/);
  assert.match(line, /"note":"Zwei kommen dazu"/);
  await until("the board says who", async () => /übernommen von A\. Krause/.test(await text(board.locator(".strip"))));
  await page.finish();
});

test("a killed source turns its tiles grey in time, and they are never good again before it is back", async () => {
  await until("dealers is fresh", async () => (await status(board, "dealers")) === "met");
  await office.end("source", "SIGKILL");
  const killed = Date.now();
  await until("dealers is grey", async () => (await status(board, "dealers")) === "stale", stale_after_s + 2);
  const took = Date.now() - killed;
  assert.ok(took < (stale_after_s + 1.5) * 1000, `${took} ms`);
  assert.match(await text(tile(board, "dealers").locator(".status")), /Veraltet seit \d:\d\d/);
  for (let i = 0; i < 20; i++) {
    assert.equal(await board.locator('.tile[data-status="met"]').count(), 0);
    await board.waitForTimeout(50);
  }
  office.startSource();
  office.send(["again", { offered: { queue: "dealers" } }], ["again", { answered: { agent: "a2" } }]);
  await until("dealers is fresh again", async () => (await status(board, "dealers")) === "met");
});

test("without the gateway the board is grey and comes back by itself", async () => {
  assert.equal(await office.end("gateway"), 0);
  await until("all is grey", async () => (await board.locator('.tile:not([data-status="stale"])').count()) === 0, 3);
  assert.match(await text(board.locator(".top .lost")), /Keine Verbindung zum Gateway seit 0:0\d/);
  office.startGateway();
  await until("dealers is back", async () => (await status(board, "dealers")) === "met");
  assert.equal(await board.locator(".top .lost").count(), 0);
});

test("without the daemon the board is grey and comes back by itself", async () => {
  await office.end("source");
  await office.end("reachd", "SIGKILL");
  await until("all is grey", async () => (await board.locator('.tile:not([data-status="stale"])').count()) === 0, 5);
  await until("the page says why", async () => /Keine Verbindung zum Dienst seit/.test(await text(board.locator(".top .lost"))), 5);
  assert.equal((await fetch(`${office.address}/api/v1/state`)).status, 503);
  office.startDaemon();
  office.startSource();
  office.send(["after", { offered: { queue: "dealers" } }], ["after", { answered: { agent: "a2" } }]);
  await until("dealers is back", async () => (await status(board, "dealers")) === "met");
  assert.match(await text(board.locator(".strip")), /übernommen von A\. Krause/, "what was taken stays taken");
});

test("a board that nobody reads harms nobody", async () => {
  const { connect } = await import("node:net");
  const silent = connect(office.ports[4], "127.0.0.1");
  await new Promise((done) => silent.once("connect", done));
  silent.pause();
  silent.write(`GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  for (let i = 0; i < 300; i++) office.send([`x-${i}`, { offered: { queue: "dealers" } }], [`x-${i}`, { answered: { agent: "a2" } }]);
  await until("the board goes on", async () => /30\d von 30\d/.test(await text(tile(board, "dealers"))));
  silent.destroy();
});

test("the board said no error, asked no other host and kept its policy through all of it", async () => board.finish());
