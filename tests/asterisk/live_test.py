#!/usr/bin/env python3
"""A real Asterisk, the real adapter and the real daemon, three minutes of random callers, and everything that breaks.

    live_test.py --adapter PROGRAM --reachd PROGRAM --reachctl PROGRAM [--seconds N] [--seed N] [--killed N] [--keep]

Three adapters listen to one PBX under three names: "pbx2" directly, "pbx1" through a proxy that is cut for 20 seconds,
"pbx3" is killed (kill -9) and started again. The PBX is restarted once. With --killed N, so many further adapters are
killed every few seconds all the time, at random moments: ctest takes four, eight find rare moments sooner. Then
reachd's figures are compared with the PBX's own queue_log:

  - of pbx2, and of pbx1 outside the cut: equal, per queue and outcome;
  - of all over all: seen <= log <= seen + unknown + reported lost;
  - of every single call: no source counts anything that the log does not have;
  - callers who were turned away (full, nobody there), of whom the log has no line, are counted;
  - at the end nobody waits and nobody talks;
  - no caller's number is in any log or in reachd's events;
  - adapters with a wrong password, without rights or without a PBX say which line of manager.conf to change.

Exit codes: 0 good, 1 failed, 77 no Asterisk to be had here (the test is skipped).
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "adapters"))
from ami import Ami  # noqa: E402
from queue_log_account import REASONS, of_queue_log  # noqa: E402

OUTCOMES = ("offered", "answered", "abandoned", "forwarded")
QUEUES = ("sales", "service", "everybody", "small", "closed", "drained", "announced", "optimised", "consulting")
DIALLED = {"51": 6, "52": 4, "53": 4, "54": 3, "55": 1, "56": 1.5, "57": 1, "58": 1.5, "59": 1, "60": 1.5}
PEOPLE = [f"Local/{number}@agents/n" for number in range(1001, 1011)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    """Passes TCP on to `port`, until it is cut."""

    def __init__(self, port):
        self.target, self.pairs, self.is_cut = port, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                if self.is_cut:
                    raise OSError
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(a, b):
        try:
            while piece := a.recv(65536):
                b.sendall(piece)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.is_cut = True
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def mend(self):
        self.is_cut = False


def of_calls_in_queue_log(path):
    """{(call, queue): how often of each outcome} in the PBX's own account."""
    calls = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        _, call, queue, _, event = (line.split("|") + [""] * 5)[:5]
        outcome = {"ENTERQUEUE": "offered", "CONNECT": "answered", "ABANDON": "abandoned"}.get(event)
        if outcome := outcome or (event in REASONS and "forwarded"):
            calls.setdefault((call, queue), Counter())[outcome] += 1
    return calls


def of_calls_in_events(lines):
    """{(source, call, queue): how often of each outcome}, as reachd counts them: what is told again does not count
    again. Callers who were turned away are left out."""
    calls, waits, last, in_resync = {}, {}, {}, set()

    def count(call, outcome):
        calls.setdefault((*call, waits[call]), Counter())[outcome] += 1

    def enters(call, queue, source):
        if waits.get(call) == queue:
            return
        if call in waits and source not in in_resync:
            count(call, "forwarded")
        waits[call] = last[call] = queue
        count(call, "offered")

    for line in lines:
        event = json.loads(line)
        source = event.get("source")
        call = source, event.get("contact")
        if "offered" in event:
            enters(call, event["offered"]["queue"], source)
        elif "answered" in event and event["answered"].get("queue", last.get(call)) != last.get(call) and call in last:
            enters(call, event["answered"]["queue"], source)
        for kind, outcome in (("answered", "answered"), ("abandoned", "abandoned"), ("forwarded", "forwarded"),
                              ("ended", "abandoned"), ("outcomeUnknown", None)):
            if kind in event and call in waits:
                if outcome:
                    count(call, outcome)
                del waits[call]
        if "resyncBegin" in event:
            in_resync.add(source)
        if "resyncEnd" in event:
            in_resync.discard(source)
            there = event["resyncEnd"].get("contacts", [])
            for gone in [c for c in waits if c[0] == source and c[1] not in there]:
                del waits[gone]
    return calls


class Callers:
    """Random customers, transfers, pauses and log-ins, until told to stop."""

    def __init__(self, port, seed):
        self.chance, self.ami = random.Random(seed), Ami(port)
        self.rejected, self.queue_of, self.agents, self.running, self.quiet = {}, {}, {}, True, False
        self.ami.listeners.append(self._hear)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _hear(self, message):
        event, call = message.get("Event"), message.get("Uniqueid")
        if event == "Newexten" and message.get("Application") == "Queue":
            self.queue_of[call] = message["AppData"].split(",")[0]
        elif event == "VarSet" and message.get("Variable") == "QUEUESTATUS":
            if message.get("Value") in ("FULL", "JOINEMPTY", "JOINUNAVAIL"):
                queue = self.queue_of.get(call, "?")
                self.rejected[queue] = self.rejected.get(queue, 0) + 1
        elif event == "AgentConnect":
            self.agents[message.get("DestUniqueid")] = message.get("DestChannel")
        elif event == "Hangup":
            self.agents.pop(call, None)

    def _run(self):
        chance, back, added = self.chance, {}, False
        while self.running and not self.ami.closed:
            while self.quiet:
                time.sleep(0.1)
            exten = chance.choices(list(DIALLED), DIALLED.values())[0]
            kind = chance.random()
            context = "caller" if kind < 0.85 else "callerdtmf" if kind < 0.93 else "callerdtmf2"
            stays = chance.randint(1, 8) if chance.random() < 0.4 else chance.randint(8, 25)
            number = "anonymous" if chance.random() < 0.3 else f"+4989{chance.randrange(10**7):07d}"
            local = "/n" if chance.random() < 0.8 else ""
            self.ami.call(exten, stays, number=number, context=context, local=local)
            if chance.random() < 0.12 and self.agents:
                channel = chance.choice(list(self.agents.values()))
                self.ami.send("BlindTransfer", Channel=channel, Context="inbound",
                              Exten=chance.choice(["51", "52", "53"]))
            if chance.random() < 0.15:
                person = chance.choice(PEOPLE)
                self.ami.send("QueuePause", Interface=person, Paused="true", Reason=chance.choice(["break", "meeting"]))
                back[person] = time.monotonic() + chance.uniform(2, 10)
            if chance.random() < 0.05:
                added = not added
                member = {"Queue": "service", "Interface": "Local/1012@agents/n"}
                if added:
                    self.ami.send("QueueAdd", MemberName="Olga Paul", **member)
                else:
                    self.ami.send("QueueRemove", **member)
            for person in [p for p, due in back.items() if due < time.monotonic()]:
                self.ami.send("QueuePause", Interface=person, Paused="false")
                del back[person]
            time.sleep(chance.expovariate(1 / 0.7))
        for person in PEOPLE:
            self.ami.send("QueuePause", Interface=person, Paused="false")

    def stop(self):
        self.running = False
        self.thread.join()


class Kills:
    """Kills adapters at random moments and starts them again soon, until told to stop."""

    def __init__(self, names, seed, start, kill):
        self.start, self.kill, self.running, self.count = start, kill, True, 0
        self.threads = [threading.Thread(target=self._run, args=(name, random.Random(f"{seed} {name}")), daemon=True)
                        for name in names]
        for thread in self.threads:
            thread.start()

    def _run(self, name, chance):
        while self.running:
            time.sleep(chance.uniform(2, 10))
            self.kill(name)
            self.count += 1
            time.sleep(chance.uniform(0, 3))
            self.start(name)

    def stop(self):
        self.running = False
        for thread in self.threads:
            thread.join()


class Test:
    def __init__(self, options):
        self.options, self.processes, self.problems = options, [], []
        self.killed = [f"killed{n + 1}" for n in range(options.killed)]
        self.sources, self.kills = ["pbx1", "pbx2", "pbx3", *self.killed], None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reachd-live-"))
        self.pbx_port, self.start = free_port(), time.monotonic()
        (self.folder / "secret").write_text("only-for-tests\n")
        (self.folder / "wrong").write_text("not-the-password\n")
        for name in ("secret", "wrong"):
            os.chmod(self.folder / name, 0o600)

    def say(self, text):
        print(f"{time.monotonic() - self.start:6.1f} s  {text}", flush=True)

    def pbx(self, *words, check=True):
        return subprocess.run([HERE / "pbx", *words, "--dir", self.folder / "pbx"], check=check, text=True,
                              stdout=subprocess.PIPE).stdout

    def launch(self, name, *words, out=None):
        log = open(self.folder / f"{name}.log", "a")
        process = subprocess.Popen([str(w) for w in words], stdout=out or log, stderr=log)
        self.processes.append((name, process))
        return process

    def kill(self, name):
        process = next(p for n, p in list(self.processes) if n == name)  # others kill at the same time
        self.processes.remove((name, process))
        process.kill()
        process.wait()

    def adapter_config(self, source, port, user="reachd", secret="secret", more=""):
        path = self.folder / f"{source}.toml"
        path.write_text(f'''source = "{source}"
endpoint = "ipc://{self.folder}/ingest"
wrap_up = "1s"
{more}
[pbx]
port = {port}
user = "{user}"
secret_file = "{self.folder}/{secret}"
[[queue]]
name = "sales"
wrap_up = "2s"
''')
        return path

    def daemon_config(self):
        hour = time.gmtime().tm_hour  # figures are of the day: let it be noon
        text = f'''timezone = "Etc/GMT{hour - 12:+d}"
[endpoints]
ingest = "ipc://{self.folder}/ingest"
publish = "ipc://{self.folder}/publish"
query = "ipc://{self.folder}/query"
metrics = "off"
[event_log]
directory = "{self.folder}/events"
[[service]]
id = "phone"
medium = "call"
threshold = "5s"
short_abandon = "2s"
'''
        for source in self.sources:
            for queue in QUEUES:
                text += f'[[segment]]\nid = "{source}-{queue}"\nqueues = ["{source}/{queue}"]\n'
        path = self.folder / "reachd.toml"
        path.write_text(text)
        return path

    def status(self):
        run = subprocess.run([self.options.reachctl, "--config", self.folder / "reachd.toml", "--json", "status",
                              "--window", "day"], text=True, stdout=subprocess.PIPE, check=True)
        return json.loads(run.stdout)

    def seen(self):
        """{source: {queue: figures}}, waiting and busy people, and the sources."""
        status = self.status()
        seen = {source: {} for source in self.sources}
        for segment in status["segments"]:
            for queue in segment["queues"]:
                source, name = queue["id"].split("/")
                seen[source][name] = queue["figures"]
        return seen, {s["id"]: s for s in status["sources"]}, status

    def log(self):
        """The PBX's own account, with the callers it does not mention."""
        account = of_queue_log(self.folder / "pbx/log/queue_log")
        figures = {}
        for queue in QUEUES:
            a = account.get(queue, {})
            rejected = self.callers.rejected.get(queue, 0) + self.rejected_before.get(queue, 0)
            figures[queue] = {o: a.get(o, 0) for o in OUTCOMES}
            figures[queue]["offered"] += rejected
            figures[queue]["forwarded"] += rejected
        return figures

    @staticmethod
    def minus(a, b):
        return {q: {o: a[q][o] - b[q][o] for o in OUTCOMES} for q in QUEUES}

    @staticmethod
    def figures(seen):
        return {q: {o: seen[q][o] if q in seen else 0 for o in OUTCOMES} for q in QUEUES}

    def differences(self, log, seen):
        return [f"{q}: {o} is {log[q][o]} in the PBX's account, {seen[q][o]} in reachd"
                for q in QUEUES for o in OUTCOMES if log[q][o] != seen[q][o]]

    def expect_equal(self, what, source, since_log=None, since_seen=None, within=15):
        """At some instant soon both accounts are equal (a verdict may be held for two seconds)."""
        zero = {q: dict.fromkeys(OUTCOMES, 0) for q in QUEUES}
        end = time.monotonic() + within
        while True:
            log = self.minus(self.log(), since_log or zero)
            found = self.differences(log, self.minus(self.figures(self.seen()[0][source]), since_seen or zero))
            if not found or time.monotonic() > end:
                break
            time.sleep(0.1)
        total = sum(log[q]["offered"] for q in QUEUES)
        self.say(f"{what}: {source} {'equals' if not found else 'differs from'} the PBX's account of {total} calls")
        self.problems += [f"{what}: {source}: {line}" for line in found]

    def until(self, second):
        time.sleep(max(0, self.start + second - time.monotonic()))

    def wait_for(self, what, condition, within=20):
        end = time.monotonic() + within
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        self.problems.append(f"{what} did not happen within {within} s")

    def source_state(self, name):
        return self.seen()[1].get(name, {}).get("state")

    def run(self):
        o, scale = self.options, self.options.seconds / 180
        if subprocess.run([HERE / "pbx", "prepare"], stdout=subprocess.DEVNULL).returncode == 69:
            print("skipped: there is no Asterisk to be had on this machine (see tests/asterisk/pbx)")
            return 77
        self.start = time.monotonic()
        self.say(f"seed {o.seed}; files in {self.folder}")
        self.pbx("start", "--ami-port", str(self.pbx_port))
        proxy = Proxy(self.pbx_port)
        self.launch("reachd", o.reachd, "--config", self.daemon_config())
        self.wait_for("reachd's answer", lambda: subprocess.run(
            [o.reachctl, "--config", self.folder / "reachd.toml", "status"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)
        self.launch("pbx1", o.adapter, "--config", self.adapter_config("pbx1", proxy.port))
        pbx2 = self.adapter_config("pbx2", self.pbx_port, more='resync_every = "30s"')
        self.launch("pbx2", o.adapter, "--config", pbx2)
        pbx3 = self.adapter_config("pbx3", self.pbx_port, more=f'spool_directory = "{self.folder}/spool"')
        self.launch("pbx3", o.adapter, "--config", pbx3)
        for name, user, secret, port in (("deaf", "deaf", "secret", self.pbx_port),
                                         ("halfdeaf", "halfdeaf", "secret", self.pbx_port),
                                         ("stranger", "reachd", "wrong", self.pbx_port),
                                         ("nobody", "reachd", "secret", free_port())):
            config = self.adapter_config(name, port, user, secret, 'resync_every = "10s"')
            self.launch(name, o.adapter, "--config", config, "--to", "-", out=subprocess.DEVNULL)
        spooled = {n: self.adapter_config(n, self.pbx_port, more=f'spool_directory = "{self.folder}/{n}-spool"')
                   for n in self.killed}
        for name, config in spooled.items():
            self.launch(name, o.adapter, "--config", config)
        for source in self.sources:
            self.wait_for(f"{source}'s connection", lambda: self.source_state(source) == "connected")
        time.sleep(1.5)

        self.rejected_before = {}
        self.callers = Callers(self.pbx_port, o.seed)
        self.kills = Kills(self.killed, o.seed, lambda n: self.launch(n, o.adapter, "--config", spooled[n]), self.kill)
        self.until(45 * scale)
        for source in ("pbx1", "pbx2"):
            self.expect_equal("before the cut", source)

        self.until(50 * scale)
        self.say("cut pbx1 off")
        proxy.cut()
        self.wait_for("pbx1 is known to be cut off", lambda: self.source_state("pbx1") not in ("connected", None), 5)
        self.until(57 * scale)
        self.say("kill pbx3")
        self.kill("pbx3")
        self.until(62 * scale)
        self.launch("pbx3", o.adapter, "--config", pbx3)
        self.until(70 * scale)
        self.say("mend the line")
        proxy.mend()
        self.wait_for("pbx1 comes back", lambda: self.source_state("pbx1") == "connected", 15)
        self.until(105 * scale)  # whoever called during the cut is gone
        self.expect_equal("after the cut", "pbx2")
        baseline = self.common_instant()
        self.until(132 * scale)
        self.expect_equal("between cut and restart", "pbx1", *baseline)
        self.expect_equal("before the restart", "pbx2")

        self.say("restart the PBX")
        self.callers.stop()
        self.rejected_before = dict(self.callers.rejected)
        self.callers.rejected = {}
        self.pbx("kill" if o.seed % 2 else "stop")
        time.sleep(1)
        self.pbx("start", "--ami-port", str(self.pbx_port))
        for source in ("pbx1", "pbx2"):
            self.wait_for(f"{source} after the restart", lambda: self.source_state(source) == "connected", 20)
        time.sleep(2)
        log, seen = self.log(), self.seen()[0]
        before_restart = {s: (log, self.figures(seen[s])) for s in ("pbx1", "pbx2")}
        self.callers = Callers(self.pbx_port, o.seed + 1)
        self.until(165 * scale)
        self.callers.stop()
        self.say("no more new calls")
        self.kills.stop()
        if self.killed:
            self.say(f"adapters were killed {self.kills.count} times")
        self.wait_for("the end of all calls",
                      lambda: re.search(r"^0 active channels", self.pbx("cli", "core show channels count"), re.M), 60)
        time.sleep(3)
        for source in ("pbx1", "pbx2"):
            self.expect_equal("after the restart", source, *before_restart[source])
        self.bounds()
        self.inventions()
        self.sentences()
        self.no_numbers()
        self.say(f"{sum(self.rejected_before.values()) + sum(self.callers.rejected.values())} callers were turned away")
        return 0

    def common_instant(self):
        """Log and pbx1's figures of one instant: nothing happened while they were read, and no verdict is held."""
        self.callers.quiet = True
        try:
            return self.quiet_instant()
        finally:
            self.callers.quiet = False

    def quiet_instant(self):
        while True:
            before, seen, after = self.log(), self.figures(self.seen()[0]["pbx1"]), self.log()
            time.sleep(2.2)  # nothing is held either
            if before == after and self.figures(self.seen()[0]["pbx1"]) == seen and self.log() == after:
                return after, seen
            if time.monotonic() > self.start + 125 * self.options.seconds / 180:
                return after, seen

    def bounds(self):
        log = self.log()
        seen, sources, status = self.seen()
        for source in self.sources:
            lost = sources[source]["events_lost"]
            for q in QUEUES:
                figures = seen[source].get(q)
                if not figures:
                    continue
                unknown = figures["unknown"]
                for outcome in OUTCOMES:
                    if not figures[outcome] <= log[q][outcome] <= figures[outcome] + unknown + lost:
                        self.problems.append(
                            f"{source}/{q}: {outcome} is {log[q][outcome]} in the PBX's account; reachd saw "
                            f"{figures[outcome]}, {unknown} unknown, {lost} reported lost")
                if figures["waiting"]:
                    self.problems.append(f"{source}/{q}: {figures['waiting']} still wait, though all channels are gone")
            self.say(f"{source}: contradictions {sources[source]['contradictions']}, lost {lost}, "
                     f"unknown {sum(f['unknown'] for f in seen[source].values())}, "
                     f"of contacts not known {sources[source]['unknown_contacts']}")
        for segment in status["segments"]:
            busy = (segment.get("agents") or {}).get("busy")
            if busy:
                self.problems.append(f"{segment['id']}: {busy} still talk, though all channels are gone")

    def inventions(self):
        """No source may say more of any single call than happened; sums may hide it behind what was missed."""
        run = subprocess.run([self.options.reachctl, "log", "export", self.folder / "events"], text=True, check=True,
                             stdout=subprocess.PIPE)
        log = of_calls_in_queue_log(self.folder / "pbx/log/queue_log")
        for (source, call, queue), seen in sorted(of_calls_in_events(run.stdout.splitlines()).items()):
            if more := seen - log.get((call, queue), Counter()):
                self.problems.append(f"{source}: call {call} in {queue}: more than in the PBX's account: {dict(more)}")

    def sentences(self):
        for name, words in (("deaf", "read = agent,call,dialplan,system"), ("halfdeaf", "write = reporting"),
                            ("halfdeaf", "no dialplan events"), ("stranger", "secret ="), ("nobody", "enabled = yes")):
            text = (self.folder / f"{name}.log").read_text()
            if words not in text:
                self.problems.append(f"the adapter \"{name}\" does not say \"{words}\"; it says: {text[-600:]}")

    def no_numbers(self):
        """All callers' numbers begin alike; nobody's may have left the adapters."""
        for path in self.folder.rglob("*"):
            if path.is_file() and "pbx" not in path.relative_to(self.folder).parts and b"+4989" in path.read_bytes():
                self.problems.append(f"a caller's number is in {path}")

    def finish(self):
        if self.kills:
            self.kills.stop()
        for name, process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes:
            try:
                code = process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                code = "none"
                self.problems.append(f"{name} does not end with SIGTERM")
            if code != 0 and name in ("reachd", *self.sources):
                self.problems.append(f"{name} ended with {code}: {(self.folder / f'{name}.log').read_text()[-600:]}")
        self.pbx("kill", check=False)


def main():
    parser = argparse.ArgumentParser()
    for name in ("adapter", "reachd", "reachctl"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--killed", type=int, default=0, help="so many further adapters are killed every few seconds")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations and logs")
    test = Test(parser.parse_args())
    try:
        code = test.run()
    finally:
        test.finish()
    if test.problems:
        print(f"\nFailed; to repeat: --seed {test.options.seed}; files in {test.folder}")
        print("\n".join(test.problems[:25]))
        if len(test.problems) > 25:
            print(f"... and {len(test.problems) - 25} more")
        return 1
    if not test.options.keep:
        shutil.rmtree(test.folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
