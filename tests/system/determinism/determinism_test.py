#!/usr/bin/env python3
"""The replay of a daemon's log against what the daemon said while it lived.

    determinism_test.py REACHD REACHCTL DATA_FOLDER [--seed N] [--speed N]

A day of calls is sent to a real reachd at many times its pace. Meanwhile a subscriber writes down every alert, and the
daemon is stopped, killed (kill -9) and given another configuration. At the end its figures are asked for, and its log is
replayed, from the files alone: every alert must come out of it with the same bytes, in the same order, and the same
figures.
"""
import argparse
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "data"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))
import bank_to_jsonl  # noqa: E402
from processes import slowdown  # noqa: E402

CONFIGURATION = """
timezone = "Asia/Jerusalem"
[endpoints]
ingest  = "ipc://{folder}/ingest"
publish = "ipc://{folder}/publish"
query   = "ipc://{folder}/query"
metrics = "off"
[event_log]
directory      = "{folder}/log"
file_size      = "1MiB"
snapshot_every = "1MiB"
[[segment]]
id = "private"
queues = ["PS", "PE", "IN"]
[[segment]]
id = "trading"
queues = ["NE", "NW", "TT"]
[[service]]
id = "phone"
threshold = "{threshold}"
short_abandon = "2ms"
[[contract]]
id = "bank"
segments = ["private", "trading"]
  [[contract.objective]]
  figure = "service_level"
  target = 0.8
  window = "1s"
  min_samples = 5
  clear_for = "200ms"
  [[contract.objective]]
  figure = "longest_wait_s"
  target = "100ms"
  window = "now"
  clear_for = "100ms"
"""


def day_of_bank_data(folder):
    """Lines of the busiest day of October 1999."""
    lines = subprocess.run([sys.executable, bank_to_jsonl.__file__, folder / "bank-1999" / "october.txt"],
                           stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    days = {}
    for line in lines:
        days.setdefault(json.loads(line)["time"][:10], []).append(line)
    return max(days.values(), key=len)


def day_from_seed(seed):
    """About 2,000 calls between 7 and 24 o'clock, in the same shape."""
    chance = random.Random(seed)
    events, at = [], 25_200.0
    stamp = lambda s: "1999-10-13T%02d:%02d:%06.3fZ" % (s // 3600, s % 3600 // 60, s % 60)
    for number in range(2000):
        at += chance.expovariate(1 / 30)
        wait, talk = chance.expovariate(1 / 25), chance.expovariate(1 / 180)
        contact = f"c{number}"
        events.append((at, {"contact": contact, "offered": {"queue": chance.choice(["PS", "NE", "NW", "TT"])}}))
        if wait > 60:
            events.append((at + 60, {"contact": contact, "abandoned": {}}))
        else:
            events.append((at + wait, {"contact": contact, "answered": {"agent": f"a{number % 9}"}}))
            events.append((at + wait + talk, {"contact": contact, "ended": {"by": "caller"}}))
    events = [event for event in events if event[0] < 86_399]
    return [json.dumps({"time": stamp(s), **event}) for s, event in sorted(events, key=lambda e: e[0])]


class Test:
    def __init__(self, reachd, reachctl, folder):
        self.reachd, self.reachctl, self.folder = reachd, reachctl, folder
        self.config = folder / "reachd.toml"
        self.log = open(folder / "reachd.stderr", "w")
        self.daemon = None

    def configure(self, threshold):
        self.config.write_text(CONFIGURATION.format(folder=self.folder, threshold=threshold))

    def start(self):
        self.daemon = subprocess.Popen([self.reachd, "--config", self.config], stderr=self.log)

    def end(self, number):
        self.daemon.send_signal(number)
        code = self.daemon.wait(timeout=20 * slowdown)
        if code != (0 if number == signal.SIGTERM else -number):
            sys.exit(f"FAILED: reachd ended with {code} after signal {number}: "
                     + pathlib.Path(self.log.name).read_text()[-3000:])

    def ctl(self, *arguments):
        return subprocess.run([self.reachctl, *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout


def moment(text):
    """A time as it compares: "…:12Z" is before "…:12.004Z", though not as text."""
    return text.rstrip("Z") + ("" if "." in text else ".")


def changed(line):
    return moment(json.loads(line)["changed"])


def stamp(ahead_s):
    at = time.time() + ahead_s
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}"


def wait_for(what, condition, seconds=60):
    seconds *= slowdown
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    sys.exit(f"FAILED: {what} did not come within {seconds} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reachd")
    parser.add_argument("reachctl")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--speed", type=int, default=1200)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    if (arguments.data / "bank-1999" / "october.txt").exists():
        lines = day_of_bank_data(arguments.data)
    else:
        print("the shared data is not there: a day made from the seed takes the place of the bank's", flush=True)
        lines = day_from_seed(arguments.seed)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test = Test(arguments.reachd, arguments.reachctl, folder)
        test.configure("10ms")  # 20 s of 1999, at this speed
        test.start()
        said = open(folder / "alerts", "w+")
        follower = subprocess.Popen(
            [test.reachctl, "--config", test.config, "--json", "alerts", "--follow"], stdout=said, stderr=subprocess.DEVNULL)
        sender = None
        try:
            wait_for("the daemon", lambda: subprocess.run(
                [test.reachctl, "--config", test.config, "status"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL).returncode == 0)
            sender = subprocess.Popen(
                [test.reachctl, "--config", test.config, "send", "--source", "bank", "--speed", str(arguments.speed),
                 "--rebase"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            feed = folder / "lines"
            feed.write_text("\n".join(lines) + "\n")
            threading.Thread(target=lambda: (sender.stdin.write(feed.read_text()), sender.stdin.close()), daemon=True).start()
            # A day of 17 hours takes about 50 s.
            restarts = []  # from when to when nobody could hear every alert
            for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGKILL, signal.SIGTERM):
                time.sleep(chance.uniform(7, 10))
                print(f"{signal.Signals(number).name}", flush=True)
                if number == signal.SIGHUP:
                    test.configure("15ms")
                    test.daemon.send_signal(number)
                    continue
                restarts.append([stamp(-0.5)])
                test.end(number)
                time.sleep(chance.uniform(0, 0.3))
                test.start()
                restarts[-1].append(stamp(5))
            sender.wait(timeout=120 * slowdown)
            print(sender.stdout.read().strip(), flush=True)
            if sender.returncode != 0:
                sys.exit("FAILED: not every event was acknowledged")
            live = json.loads(test.ctl("--config", test.config, "--json", "status", "--window", "day"))
            test.end(signal.SIGTERM)
        finally:
            for process in (follower, sender, test.daemon):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
        print((folder / "reachd.stderr").read_text() if "--show" in sys.argv else "", end="")

        said.seek(0)
        replayed = test.ctl("--json", "replay", "--format", "log", "--every", "day", "--until", live["time"],
                            str(folder / "log"))
        alerts = [line[len('{"alert":'):-1] for line in replayed.splitlines() if line.startswith('{"alert":')]
        status = [json.loads(line) for line in replayed.splitlines() if not line.startswith('{"alert":')][-1]
        heard = [line for line in said.read().splitlines() if changed(line) < moment(live["time"])]
        in_restart = lambda line: any(a <= changed(line) <= b for a, b in restarts)

        # Around a restart the subscriber hears of an alert as it stands when it is back, and of short ones not at all.
        problems = []
        steady_live = [line for line in heard if not in_restart(line)]
        steady_replayed = [line for line in alerts if not in_restart(line)]
        print(f"{len(steady_live)} revisions of alerts heard, {len(steady_replayed)} replayed; around restarts "
              f"{len(heard) - len(steady_live)} and {len(alerts) - len(steady_replayed)}")
        if len(steady_live) < 20:
            problems.append("that is too quiet to prove anything")
        for number, (a, b) in enumerate(zip(steady_live, steady_replayed)):
            if a != b:
                problems.append(f"revision {number} of the alerts differs:\n  live   {a}\n  replay {b}")
                break
        if len(steady_live) != len(steady_replayed):
            problems.append("the numbers differ")
        key = lambda line: [json.loads(line)[k] for k in ("id", "revision", "kind", "state", "pending_since", "fired",
                                                          "resolved", "changed")]
        known = [key(line) for line in alerts]
        for line in heard:
            if in_restart(line) and key(line) not in known:
                problems.append(f"around a restart, not in the replay: {line}")
        for was, now in zip(live["segments"], status["segments"]):
            for key in ("id", "figures", "queues", "services", "sites", "objectives", "alerts"):
                if json.dumps(was[key]) != json.dumps(now[key]):
                    problems.append(f"{key} of {was['id']} differ:\n  live   {was[key]}\n  replay {now[key]}")
        if sum(segment["figures"]["offered"] for segment in live["segments"]) < 500:
            problems.append("hardly any calls were offered")
        if problems:
            keep = pathlib.Path(tempfile.mkdtemp(prefix="reach-determinism-"))
            for each in ("alerts", "reachd.stderr", "reachd.toml"):
                (keep / each).write_text((folder / each).read_text())
            subprocess.run(["cp", "-r", folder / "log", keep / "log"], check=True)
            print("\n".join(problems))
            sys.exit(f"FAILED; repeat with --seed {arguments.seed}; the log, the alerts and the figures are in {keep}")


if __name__ == "__main__":
    main()
