// A real reachd, a real gateway and a real source, in a folder and on ports of their own.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const programs = {
  reachd: process.env.REACHD,
  reachctl: process.env.REACHCTL,
  gateway: process.env.REACH_WALLBOARD,
};
export const stale_after_s = 3;

const configuration = (ports, folder) => `
stale_after = "${stale_after_s}s"
[endpoints]
ingest  = "tcp://127.0.0.1:${ports[0]}"
publish = "tcp://127.0.0.1:${ports[1]}"
query   = "tcp://127.0.0.1:${ports[2]}"
metrics = "http://127.0.0.1:${ports[3]}"
[event_log]
directory = "${folder}/events"
[[segment]]
id     = "key-accounts"
queues = ["sales"]
[[segment]]
id     = "dealers"
queues = ["dealers", "mail"]
[[service]]
id        = "phone"
medium    = "call"
threshold = "2s"
short_abandon = "1s"
[[service]]
id     = "letters"
medium = "item"
due_in = "4h"
[[contract]]
id       = "contract"
client   = "Field sales"
segments = ["key-accounts", "dealers"]
open     = ["Mon-Sun 00:00-24:00"]
  [[contract.objective]]
  service = "phone"
  figure  = "service_level"
  target  = 0.80
  window  = "30m"
  min_samples = 3
`;

async function freePorts(n) {
  const servers = await Promise.all(
    Array.from({ length: n }, () => new Promise((ready) => {
      const server = createServer().listen(0, "127.0.0.1", () => ready(server));
    })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export class BackOffice {
  #running = new Map();
  #said = [];

  /// `gateway`: more options of it. `users`: [name, role, password] of who may sign in; empty: nobody has to.
  static async start({ gateway = [], users = [] } = {}) {
    const office = new BackOffice();
    office.gatewayOptions = gateway;
    office.folder = await mkdtemp(join(tmpdir(), "reach-browser-"));
    office.ports = await freePorts(5);
    office.address = `http://127.0.0.1:${office.ports[4]}`;
    await writeFile(join(office.folder, "reachd.toml"), configuration(office.ports, office.folder));
    if (users.length > 0) office.gatewayOptions = [...gateway, "--users-file", join(office.folder, "users")];
    for (const [name, role, password] of users) await office.gateway(["--add-user", name, "--role", role], password);
    office.startDaemon();
    office.startGateway();
    return office;
  }
  async stop() {
    for (const name of [...this.#running.keys()]) await this.end(name);
    await rm(this.folder, { recursive: true, force: true });
  }

  startDaemon() {
    this.#launch("reachd", programs.reachd, ["--config", join(this.folder, "reachd.toml")]);
  }
  startGateway() {
    const [, publish, query, , web] = this.ports;
    this.#launch("gateway", programs.gateway, ["--listen", `127.0.0.1:${web}`, "--publish", `tcp://127.0.0.1:${publish}`,
      "--query", `tcp://127.0.0.1:${query}`, ...this.gatewayOptions, ...(process.env.REACH_WEB_ROOT ? ["--web-root", process.env.REACH_WEB_ROOT] : [])]);
  }
  /// Runs the gateway's program as a command; what it printed.
  async gateway(args, input = "") {
    const [, , , , web] = this.ports;
    const running = promisify(execFile)(programs.gateway, ["--listen", `127.0.0.1:${web}`, ...this.gatewayOptions, ...args]);
    running.child.stdin.end(input + "\n");
    return (await running).stdout.trim();
  }
  signal(name, signal) {
    this.#running.get(name).kill(signal);
  }
  startSource() {
    this.#launch("source", programs.reachctl, ["--config", join(this.folder, "reachd.toml"), "send", "--source", "pbx1"]);
  }
  /// Events that happen now: send("sales", ["c1", { offered: { queue: "sales" } }], …)
  send(...events) {
    const time = new Date().toISOString();
    for (const [contact, event] of events) this.#running.get("source").stdin.write(JSON.stringify({ time, contact, ...event }) + "\n");
  }
  sendAgent(agent, event) {
    this.#running.get("source").stdin.write(JSON.stringify({ time: new Date().toISOString(), agent, ...event }) + "\n");
  }

  /// Ends a program and waits until it is gone; its exit code, or null if the signal killed it.
  end(name, signal = "SIGTERM") {
    const child = this.#running.get(name);
    this.#running.delete(name);
    return new Promise((done) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return done(child?.exitCode ?? null);
      const insist = setTimeout(() => child.kill("SIGKILL"), 10_000);
      child.once("exit", (code) => (clearTimeout(insist), done(code)));
      child.stdin.end();
      child.kill(signal);
    });
  }
  async ctl(...args) {
    const { stdout } = await promisify(execFile)(programs.reachctl, ["--config", join(this.folder, "reachd.toml"), ...args]);
    return stdout;
  }
  get said() {
    return this.#said.join("");
  }

  #launch(name, program, args) {
    if (!program) throw new Error(`no program for ${name}: set REACHD, REACHCTL and REACH_WALLBOARD to the built programs`);
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {}); // its reader may be killed by a test
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => this.#said.push(`${name}: ${part}`));
    child.once("exit", (code, killed) => this.#said.push(`${name}: ended with ${killed ?? code}\n`));
    this.#running.set(name, child);
  }
}

/// Waits until `check` returns something true; fails with `what` after `seconds`.
export async function until(what, check, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const got = await check();
      if (got) return got;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ""}`);
}
