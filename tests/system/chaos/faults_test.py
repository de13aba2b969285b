#!/usr/bin/env python3
"""Every call by which reachd changes or reads its log directory fails once: the first, the second, and so on until a run
has no more of them. Afterwards reachd went on and said what was wrong, or refused to start with a sentence; figures are
those of the generator's account, before and after one more kill -9.

    faults_test.py BUILD_DIRECTORY [--seed N] [--most N]
"""
import argparse
import errno
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import types

from account import compare_figures
from chaos_test import binaries_of
from processes import Daemon, Failed, Load, a_timezone_around_noon, wait_until

UNTIL_KILLED = {"REACH_FAULT_TIMES": "0"}
HALF = {"REACH_FAULT_SHORT": "500", "REACH_FAULT_TIMES": "2"}  # half of it gets there, then the disk is full
KINDS = [
    ("write", errno.EIO, {}), ("write", errno.ENOSPC, HALF), ("write", errno.ENOSPC, {**HALF, **UNTIL_KILLED}),
    ("fdatasync", errno.EIO, {}), ("fdatasync", errno.EIO, UNTIL_KILLED), ("fsync", errno.EIO, {}), ("create", errno.ENOSPC, {}), ("rename", errno.EIO, {}),
    ("ftruncate", errno.EIO, {}), ("unlink", errno.EIO, {}), ("read", errno.EIO, {}),
]


class Run:
    """One daemon with one fault in it, from an empty directory."""

    def __init__(self, options, binaries, directory):
        self.directory = directory
        # All of it is due at once: a second of calls, twenty seconds ago.
        start = time.time_ns() - 20_000_000_000
        self.plan = ["--seed", str(options.seed), "--sources", "2", "--segments", "5", "--incidents", "0", "--rate",
                     str(options.events), "--seconds", "1", "--start", str(start)]
        made = subprocess.run([binaries.reach_load, *self.plan, "--print", "config", "--timezone",
                               a_timezone_around_noon()], capture_output=True, text=True, check=True)
        account = subprocess.run([binaries.reach_load, *self.plan, "--print", "figures"], capture_output=True,
                                 text=True, check=True)
        self.expected = types.SimpleNamespace(account=json.loads(account.stdout), complete=False)
        self.daemon = Daemon(binaries, directory, made.stdout, event_log=options.event_log)
        self.load = Load(binaries, directory, self.plan, self.daemon.ingest)
        self.count_file = f"{directory}/calls"

    def environment(self, call, at, error, more):
        return {"LD_PRELOAD": OPTIONS.faults, "REACH_FAULT_DIRECTORY": self.daemon.log_directory,
                "REACH_FAULT_CALL": call, "REACH_FAULT_AT": str(at), "REACH_FAULT_ERRNO": str(error),
                "REACH_FAULT_COUNT": self.count_file, **more}

    def calls(self):
        return os.path.getsize(self.count_file) if os.path.exists(self.count_file) else 0

    def start_faulty(self, environment):
        """True if it serves; False if it refused, as it should: with a code and a sentence."""
        self.daemon.start(environment)
        wait_until(lambda: self.daemon.ready() or self.daemon.process.poll() is not None, 20, "reachd starts or refuses")
        if self.daemon.process.poll() is None:
            return True
        code, said = self.daemon.process.returncode, self.daemon.stderr().strip().splitlines()
        if code <= 0 or not said or self.daemon.log_directory not in said[-1]:
            raise Failed(f"refused to start with code {code}, and the last it said is: {said[-1:]}")
        return False

    def check(self, when):
        problems = compare_figures(self.expected, self.daemon.status())
        if problems:
            raise Failed(f"{when}: " + "; ".join(problems[:5]))

    def go(self, call, at, error, more):
        """Whether the run came to the fault, and how it took it."""
        environment = self.environment(call, at, error, more)
        outcome = "went on"
        # What is read is read at a start, and a tail is cut at one: half of the events come before.
        if call in ("read", "ftruncate", "unlink"):
            self.daemon.start_and_wait()
            self.load.start()
            self.load.finish(60)
            self.daemon.kill()
            self.tear()
            if not self.start_faulty(environment):
                outcome = "refused to start"
                self.daemon.start_and_wait()
        else:
            if not self.start_faulty(environment):
                outcome = "refused to start"
                self.daemon.start_and_wait()
            self.load.start()
            if more.get("REACH_FAULT_TIMES") == "0" and outcome == "went on":
                time.sleep(0.3 + 0.1 * (at % 7))  # somewhere between the first failure and after several
                self.daemon.kill()
                self.daemon.start_and_wait()
            self.load.finish(60)
        self.check(f"{call} {at}, {outcome}")
        if "snapshot_every" in OPTIONS.event_log and call not in ("read", "ftruncate"):
            # By this process, or by one that was killed.
            wait_until(lambda: self.daemon.metric("reachd_snapshots_total") or "snapshot could not" in
                       self.daemon.stderr() or any(pathlib.Path(self.daemon.log_directory).glob("*.snapshot")),
                       10, "a snapshot is made, or a line says why not")
        wait_until(lambda: self.daemon.get("/healthz") != (0, "") and "degraded" not in self.daemon.get("/healthz")[1],
                   10, "healthy again")
        said = self.daemon.stderr()
        self.daemon.kill()
        self.daemon.start_and_wait()
        self.check(f"{call} {at}, {outcome}, after one more kill -9")
        reached = self.calls() >= at
        # What is written to prove the end of the log may fail without a word: it proves nothing then, no more.
        told = "cannot be written" in said or "snapshot could not" in said or outcome != "went on"
        if reached and not told and call != "write":
            raise Failed("the daemon said nothing about it")
        if self.daemon.stop() != 0:
            raise Failed("did not end well")
        return reached, outcome, told

    def tear(self):
        """A group that was being written when the power went: never acknowledged, so it may go."""
        logs = sorted(f for f in os.listdir(self.daemon.log_directory) if f.endswith(".log"))
        with open(f"{self.daemon.log_directory}/{logs[-1]}", "r+b") as newest:
            last = last_record(newest.read(), int(logs[-1][:20]))
            newest.write(b"\x07" * 100)
        # And a file that was being made: a new one is begun with the next number.
        with open(f"{self.daemon.log_directory}/{last + 1:020}.log", "wb") as young:
            young.write(b"RCHD")


def last_record(content, first):
    """The number of a log file's last whole record."""
    at, last = 32, first - 1
    while at + 24 <= len(content):
        length, _, number, _ = struct.unpack_from("<IIQQ", content, at)
        if at + 24 + length > len(content) or number not in (last, last + 1):
            break
        last, at = number, at + 24 + length
    return last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--events", type=int, default=120_000, help="of a run: some MiB, so that files end and snapshots are made")
    parser.add_argument("--most", type=int, default=0, help="calls of a kind that fail; 0: all of them")
    parser.add_argument("--event-log", default='file_size = "1MiB"\nsnapshot_every = "1MiB"\n')
    parser.add_argument("--kind", help="only this call")
    options = parser.parse_args()
    options.seed = options.seed or int(os.environ.get("REACH_CHAOS_SEED", time.time_ns() % 1_000_000_007))
    options.faults = f"{options.build}/tests/system/chaos/libreach_faults.so"
    global OPTIONS
    OPTIONS = options
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    binaries = binaries_of(options.build)
    failures = 0
    for call, error, more in KINDS:
        if options.kind and options.kind != call:
            continue
        outcomes, at, most = {}, 1, options.most
        while True:
            directory = tempfile.mkdtemp(prefix="reach-faults-")
            run = Run(options, binaries, directory)
            try:
                reached, outcome, told = run.go(call, at, error, more)
            except Failed as problem:
                failures += 1
                print(f"FAILED with --seed {options.seed} at {call} {at} ({os.strerror(error)}): {problem}\n"
                      f"the files of the run: {directory}", flush=True)
                reached = at < 200
            else:
                shutil.rmtree(directory)
                if reached:
                    key = outcome + ("" if told else ", silently")
                    outcomes.setdefault(key, []).append(at)
            if run.daemon.process.poll() is None:
                run.daemon.kill()
            if not reached:
                break
            # All, or the first ones and some of those behind.
            at += 1 if most == 0 or at < most // 2 else rng.randint(1, 20)
            if most and sum(map(len, outcomes.values())) >= most:
                break
        print(json.dumps({"call": call, "error": errno.errorcode[error], **more,
                          **{k: len(v) for k, v in outcomes.items()},
                          "silent at": [v for k, v in outcomes.items() if "silently" in k]}), flush=True)
    print("good" if failures == 0 else f"{failures} FAILED")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
