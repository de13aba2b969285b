"""kill_test.py REACHD REACHCTL ADAPTER [SEED [KILLS]]: an adapter killed at any moment neither loses nor doubles a line.

Two real adapters follow the same growing queue_log and feed one real reachd: "quiet" is left alone, "killed" is killed
(SIGKILL) at random moments and started again. In the end the daemon's log must hold the same events of calls from both,
each once, and the figures of both segments must be equal.
"""

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "chaos"))
from processes import slowdown  # noqa: E402

reachd, reachctl, adapter = (os.path.realpath(path) for path in sys.argv[1:4])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(1 << 32)
kills = int(sys.argv[5]) if len(sys.argv) > 5 else 40
print(f"seed {seed}", flush=True)
choice = random.Random(seed)
work = tempfile.mkdtemp(prefix="reach-kill-")
queue_log = f"{work}/queue_log"
running = []


def write(name, text):
    with open(f"{work}/{name}", "w", encoding="utf-8") as file:
        file.write(text)


def start(*arguments):
    process = subprocess.Popen(arguments, cwd=work, stdout=subprocess.DEVNULL,
                               stderr=open(f"{work}/{os.path.basename(arguments[0])}.log", "a"))
    running.append(process)
    return process


def status():
    said = subprocess.run([reachctl, "--config", "reachd.toml", "status", "--json"], cwd=work, capture_output=True,
                          text=True, timeout=30 * slowdown, check=False)
    return {each["id"]: each["figures"] for each in json.loads(said.stdout)["segments"]} if said.returncode == 0 else {}


class Pbx(threading.Thread):
    """Calls that come, wait and end in every way, as Asterisk writes them: lines in pieces, too."""

    def __init__(self):
        super().__init__()
        self.random = random.Random(seed + 1)
        self.ending = threading.Event()
        self.calls = 0
        self.offers = 0
        self.file = open(queue_log, "a", encoding="utf-8")

    def line(self, call, agent, event, *data):
        text = "|".join([str(int(time.time())), call, "sales", agent, event, *map(str, data)]) + "\n"
        if self.random.random() < 0.2:  # half a line stands there for a moment
            self.file.write(text[: len(text) // 2])
            self.file.flush()
            time.sleep(0.002)
            text = text[len(text) // 2:]
        self.file.write(text)
        self.file.flush()

    def one_step(self, open_calls):
        if len(open_calls) < 20 and not self.ending.is_set() and self.random.random() < 0.6:
            self.calls += 1
            self.offers += 1
            call = f"{self.calls}.1"
            self.line(call, "NONE", "ENTERQUEUE", "", "0891234", 1)
            open_calls[call] = "waiting"
        elif open_calls:
            call = self.random.choice(list(open_calls))
            if open_calls[call] == "talking":
                self.line(call, "Eva", "COMPLETECALLER", 1, 1, 1)
                del open_calls[call]
            elif self.random.random() < 0.6:
                self.line(call, "Eva", "CONNECT", 1, "leg", 1)
                open_calls[call] = "talking"
            else:
                self.line(call, "NONE", self.random.choice(["ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY"]), 1, 1, 1)
                del open_calls[call]
        if self.random.random() < 0.3:
            self.line("NONE", "NONE", "CONFIGRELOAD")  # lines that tell nothing of calls

    def run(self):
        open_calls = {}
        while not self.ending.is_set() or open_calls:
            self.one_step(open_calls)
            time.sleep(self.random.random() * 0.01)
        self.file.close()


def check(condition, sentence):
    if not condition:
        raise AssertionError(f"{sentence} (seed {seed}, files in {work})")


def main():
    write("key", "a key of sixteen bytes and more")
    os.chmod(f"{work}/key", 0o600)
    segments = "".join(f'[[segment]]\nid = "{name}"\nqueues = ["{name}/sales"]\n' for name in ("quiet", "killed"))
    write("reachd.toml", f"""
[endpoints]
ingest  = "ipc://{work}/ingest"
publish = "ipc://{work}/publish"
query   = "ipc://{work}/query"
metrics = "off"
[event_log]
directory = "{work}/events"
{segments}
[[service]]
id     = "phone"
medium = "call"
""")
    for name in ("quiet", "killed"):
        write(f"{name}.toml", f"""
source = "{name}"
endpoint = "ipc://{work}/ingest"
file = "{queue_log}"
pseudonym_key_file = "{work}/key"
spool_directory = "{work}/{name}"
""")
    pbx = Pbx()
    start(reachd, "--config", "reachd.toml")
    start(adapter, "--config", "quiet.toml")
    victim = start(adapter, "--config", "killed.toml")
    pbx.start()
    done = 0
    for done in range(1, kills + 1):
        time.sleep(choice.choice([0.05, 0.3, 1.0]) * choice.random() + 0.01)
        check(victim.poll() is None, f"the adapter ended by itself with {victim.returncode}")
        victim.kill()
        check(victim.wait() == -signal.SIGKILL, "it was not killed")
        if choice.random() < 0.3:
            time.sleep(choice.random() * 0.2)
        victim = start(adapter, "--config", "killed.toml")
    pbx.ending.set()
    pbx.join()

    # The last verdict is held for two seconds; then both must come to rest at the same figures.
    names = ("offered", "answered", "abandoned", "met", "missed", "waiting", "forwarded")
    deadline = time.monotonic() + 60 * slowdown
    figures = {}
    while time.monotonic() < deadline:
        found = status()
        figures = {name: {key: found.get(name, {}).get(key) for key in names} for name in ("quiet", "killed")}
        rested = figures["quiet"]["offered"] == pbx.offers and figures["quiet"]["waiting"] == 0
        if rested and figures["quiet"] == figures["killed"]:
            break
        time.sleep(0.5)
    time.sleep(3)  # whatever would come once more has time to
    for process in running:
        if process.poll() is None:
            process.terminate()
            check(process.wait(timeout=30 * slowdown) == 0, f"{process.args[0]} ended with {process.returncode}: "
                  + open(f"{work}/{os.path.basename(process.args[0])}.log").read()[-3000:])
    exported = subprocess.run([reachctl, "log", "export", f"{work}/events"], cwd=work, capture_output=True, text=True,
                              timeout=60 * slowdown, check=True)
    events = {"quiet": collections.Counter(), "killed": collections.Counter()}
    for text in exported.stdout.splitlines():
        event = json.loads(text)
        if "contact" in event:
            events[event.pop("source")][json.dumps(event, sort_keys=True).replace("quiet/", "").replace("killed/", "")] += 1
    lost = events["quiet"] - events["killed"]
    doubled = events["killed"] - events["quiet"]
    print(f"{done} kills, {pbx.calls} calls, {sum(events['quiet'].values())} events; lost {sum(lost.values())}, "
          f"doubled {sum(doubled.values())}; figures {figures['killed']}")
    check(not lost, f"lost: {list(lost)[:5]}")
    check(not doubled, f"doubled: {list(doubled)[:5]}")
    check(sum(events["quiet"].values()) > pbx.calls, "the undisturbed adapter told next to nothing")
    check(figures["quiet"] == figures["killed"], f"figures differ: {figures}")
    check(figures["quiet"]["offered"] == pbx.offers, f"{pbx.offers} calls came, the figures are {figures['quiet']}")


try:
    main()
    shutil.rmtree(work)
except AssertionError as problem:
    sys.exit(f"{problem}\nthe files of the run: {work}")
finally:
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()
