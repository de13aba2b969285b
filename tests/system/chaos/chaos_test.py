#!/usr/bin/env python3
"""The daemon, an adapter and the connection between them killed at random moments under load; at the end figures and
alerts must equal those of an undisturbed run (account.py has the rule), nothing lost and nothing counted twice.

    chaos_test.py BUILD_DIRECTORY [--seed N] [--kills N] [--seconds S] [--rate N] [--minutes M] ...

Prints its seed; the same seed gives the same plan (not the same instants inside the processes). Where the programs are
slow ($REACH_SLOWDOWN), the rate is as much lower, and kills are fewer.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import types

from account import Expected, compare_alerts, compare_figures, compare_log
from processes import GUARD_S, Daemon, Failed, LinesLoad, Load, Proxy, a_timezone_around_noon, slowdown, wait_until


def binaries_of(build):
    found = types.SimpleNamespace(reachd=f"{build}/daemon/shell/reachd", reachctl=f"{build}/clients/reachctl/reachctl",
                                  reach_load=f"{build}/tests/load/reach-load")
    for path in vars(found).values():
        if not os.access(path, os.X_OK):
            raise Failed(f"{path} is not there: build reachd, reachctl and reach-load first")
    return found


def make_plan(options, rng):
    """What happens when: (second, action, argument), ascending."""
    actions = []
    begin, end = 0.5, options.seconds - 2

    def at_random(count, action, argument=lambda: None):
        actions.extend((rng.uniform(begin, end), action, argument()) for _ in range(count))
    at_random(options.kills, "kill daemon", lambda: rng.choice([0, 0, 0, rng.uniform(0, 0.5)]))
    at_random(options.adapter_kills, "kill adapter", lambda: rng.uniform(0, 0.5))
    at_random(options.cuts, "cut")
    at_random(options.stalls, "stall", lambda: rng.uniform(0.2, 1.6))
    at_random(options.delays, "delay", lambda: rng.choice([0.0, rng.uniform(0.001, 0.05)]))
    return sorted(actions, key=lambda a: a[0])


class Lateness:
    """How late events are applied, from how many there should be by now."""

    def __init__(self, daemon, start, rate, seconds):
        self.daemon, self.start, self.rate, self.seconds = daemon, start, rate, seconds
        self.most = 0.0
        self.next = 0.0

    def look(self):
        now = time.time()
        if now < self.next or now < self.start:
            return
        self.next = now + 0.1
        applied = self.daemon.metric("reachd_events_total")
        if applied is not None:
            self.most = max(self.most, min(now - self.start, self.seconds) - applied / self.rate)


def run_plan(actions, start, daemon, load, proxy, lateness):
    """Returns how often each action was done."""
    done = {}
    restarts = []  # (due, what)
    for second, action, argument in actions:
        # A daemon that is killed again and again at its start never serves, and then alerts are late beyond the guard.
        while True:
            now = time.time()
            for due, what in [r for r in restarts if r[0] <= now]:
                what.start()
                restarts.remove((due, what))
            serving = daemon.process.poll() is None and daemon.ready()
            if serving:
                lateness.look()
            long_down = daemon.down_since and time.monotonic() - daemon.down_since > 2
            if now >= start + second and not (action == "kill daemon" and long_down and not serving):
                break
            time.sleep(0.005)
        if action == "kill daemon":
            if any(what is daemon for _, what in restarts):
                continue  # it is dead already
            if daemon.process.poll() is not None:
                raise Failed(f"reachd ended by itself: {daemon.stderr()[-600:]}")
            daemon.kill()
            restarts.append((time.time() + argument, daemon))
        elif action == "kill adapter":
            if any(what is load for _, what in restarts):
                continue
            load.kill()
            restarts.append((time.time() + argument, load))
        elif action == "cut":
            proxy.cut()
        elif action == "stall":
            proxy.stall(argument)
        else:
            proxy.delay = argument
        done[action] = done.get(action, 0) + 1
    for due, what in restarts:
        time.sleep(max(0, due - time.time()))
        what.start()
    return done


def check(expected, daemon, when, alerts_too=True):
    problems = compare_figures(expected, daemon.status())
    if alerts_too:
        problems += compare_alerts(expected, daemon.alerts())
    if problems:
        raise Failed(f"{when}:\n  " + "\n  ".join(problems[:20]) +
                     (f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""))


def run(options, directory):
    binaries = binaries_of(options.build)
    rng = random.Random(options.seed)
    start_ns = time.time_ns() + 1_500_000_000
    plan = ["--seed", str(options.seed), "--sources", str(options.sources), "--segments", str(options.segments),
            "--incidents", str(options.incidents), "--rate", str(options.rate), "--seconds", str(options.seconds),
            "--start", str(start_ns)]
    with open(f"{directory}/plan", "w") as out:
        print(*plan, file=out)
    made = subprocess.run([binaries.reach_load, *plan, "--print", "config", "--timezone", a_timezone_around_noon()],
                          capture_output=True, text=True, check=True)
    daemon = Daemon(binaries, directory, made.stdout, event_log=options.event_log)
    proxy = Proxy(daemon.ingest)
    proxy.start()
    if options.sender == "reachctl":
        names = [f"load-{i}" for i in range(options.sources)] + (["incidents"] if options.incidents else [])
        load = LinesLoad(binaries, directory, plan, proxy.port, names)
    else:
        load = Load(binaries, directory, plan, proxy.port)
    daemon.start_and_wait()
    load.start()
    started = time.monotonic()
    lateness = Lateness(daemon, start_ns / 1e9, options.rate, options.seconds)
    done = run_plan(make_plan(options, rng), start_ns / 1e9, daemon, load, proxy, lateness)
    proxy.delay = 0.0
    wait_until(daemon.ready, 60, "reachd is ready after the last kill")
    report = load.finish(options.seconds + 180 * slowdown)
    took = time.monotonic() - started
    wait_until(lambda: all(a["state"] == "resolved" for a in daemon.alerts()), 30, "every alert is resolved")
    expected = Expected(binaries, daemon.config, plan)
    starts = sorted(daemon.start_times)
    print(json.dumps({"seed": options.seed, **done, "events": expected.account["events"], "adapter": report,
                      "alerts": len(daemon.alerts()), "seconds": round(took, 1),
                      "start_s_median": round(starts[len(starts) // 2], 3), "start_s_max": round(starts[-1], 3),
                      "longest_outage_s": round(daemon.longest_outage, 2),
                      "latest_event_s": round(lateness.most, 2)}), flush=True)
    comparable = lateness.most < GUARD_S - 1
    if report["lost"] != 0:
        raise Failed(f"the adapter lost {report['lost']} events")
    check(expected, daemon, "at the end of the run", comparable)
    daemon.kill()
    daemon.start_and_wait()
    check(expected, daemon, "after one more kill -9", comparable)
    problems = compare_log(expected if comparable else None, daemon, daemon.status(), daemon.alerts())
    if problems:
        raise Failed("the log read at once:\n  " + "\n  ".join(problems[:20]))
    if daemon.stop() != 0:
        raise Failed("reachd did not end well")
    proxy.stop()
    if not comparable:
        raise TooLate(f"events were up to {lateness.most:.1f} s late")


class TooLate(Exception):
    """The machine was too slow for this plan."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", type=int, default=60, help="of the daemon")
    parser.add_argument("--adapter-kills", type=int, default=8)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--stalls", type=int, default=4)
    parser.add_argument("--delays", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--minutes", type=float, help="instead of --seconds")
    parser.add_argument("--rate", type=int, default=5000, help="events/s")
    parser.add_argument("--sources", type=int, default=3)
    parser.add_argument("--segments", type=int, default=50)
    parser.add_argument("--incidents", type=int, default=20)
    parser.add_argument("--sender", choices=["reach-load", "reachctl"], default="reach-load",
                        help="reachctl: JSON lines through `reachctl send`, whose own end loses what it holds: not killed")
    parser.add_argument("--event-log", default="", help="lines for [event_log] in the daemon's configuration")
    parser.add_argument("--keep", action="store_true", help="the directory of the run, also when all is well")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int(os.environ.get("REACH_CHAOS_SEED", time.time_ns() % 1_000_000_007))
    if options.sender == "reachctl":
        options.adapter_kills = 0
    options.rate //= slowdown
    options.kills //= slowdown
    if options.minutes:
        options.seconds = options.minutes * 60
    if options.seconds < 60:
        parser.error("a run takes 60 seconds or more: an incident takes 53")
    print(f"seed {options.seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="reach-chaos-")
    try:
        run(options, directory)
    except Failed as problem:
        print(f"FAILED with --seed {options.seed}: {problem}\nthe files of the run: {directory}")
        return 1
    except TooLate as problem:
        shutil.rmtree(directory)
        print(f"SKIPPED in part: figures are those of an undisturbed run, alerts cannot be compared: {problem}; is the "
              "machine overloaded?")
        return 77
    if not options.keep:
        shutil.rmtree(directory)
    print("good: figures and alerts are those of an undisturbed run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
