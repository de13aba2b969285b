#!/usr/bin/env python3
"""A disk that is full, read-only or slow, under load. Figures and alerts stay live and nothing is acknowledged that is not
kept; when the disk is well again everything is acknowledged by itself, and the end equals an undisturbed run.

    disk_test.py BUILD_DIRECTORY full|readonly|slow [--seed N]

full: the log lies on a small tmpfs, which takes root to mount; without, the test says so and is skipped (77).
readonly: every change fails with "Read-only file system"; as root also a start on a directory mounted read-only.
slow: every sync takes two seconds; alert latency is measured.
"""
import argparse
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from account import Expected, compare_log, seconds_of
from chaos_test import binaries_of, check
from processes import Daemon, Failed, Load, a_timezone_around_noon, dies_with_us, slowdown, wait_until

SECONDS = 75


def mount(*arguments):
    return subprocess.run(["mount", *arguments], capture_output=True, text=True).returncode == 0


class Listener(threading.Thread):
    """When each alert was heard: reachctl alerts --follow."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.process = subprocess.Popen([daemon.binaries.reachctl, "--json", "--config", daemon.config, "alerts",
                                         "--follow"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=dies_with_us)
        self.late = []  # seconds between the instant that fired an alert and its arrival
        self.start()

    def run(self):
        for line in self.process.stdout:
            alert = json.loads(line)
            alert = alert.get("alert", alert)
            if alert.get("reason") == "fired":
                self.late.append(time.time() - seconds_of(alert["fired"]))

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.join(5)


class Scene:
    def __init__(self, options, directory, log_directory=None, rate=1000 // slowdown):
        self.binaries = binaries_of(options.build)
        self.start_ns = time.time_ns() + 1_500_000_000
        self.plan = ["--seed", str(options.seed), "--sources", "2", "--segments", "20", "--incidents", "10", "--rate",
                     str(rate), "--seconds", str(SECONDS), "--start", str(self.start_ns)]
        made = subprocess.run([self.binaries.reach_load, *self.plan, "--print", "config", "--timezone",
                               a_timezone_around_noon()], capture_output=True, text=True, check=True)
        self.daemon = Daemon(self.binaries, directory, made.stdout, log_directory, options.event_log)
        self.load = Load(self.binaries, directory, self.plan, self.daemon.ingest)

    def at(self, second):
        time.sleep(max(0.0, self.start_ns / 1e9 + second - time.time()))

    def durable(self):
        return self.daemon.metric("reachd_log_records_total")

    def counted(self):
        return sum(int(s["events"]) for s in self.daemon.status()["sources"])

    def expect_trouble(self, seconds=10):
        """The daemon says so in /healthz, in /metrics and in what it writes."""
        wait_until(lambda: "degraded" in self.daemon.get("/healthz")[1], seconds, "/healthz says degraded")
        if "cannot be written" not in self.daemon.stderr():
            raise Failed("it wrote no line about its disk")
        failures = self.daemon.metric("reachd_log_failures_total")
        if not failures:
            raise Failed(f"/metrics has {failures} failures")

    def expect_live_without_acks(self, seconds):
        events, durable = self.counted(), self.durable()
        time.sleep(seconds)
        if self.counted() <= events:
            raise Failed("figures stand still")
        if self.durable() != durable:
            raise Failed("records became durable on a disk that takes none")

    def finish(self, told):
        report = self.load.finish(SECONDS + 120 * slowdown)
        if report["lost"] != 0 or report["acknowledged"] != report["planned"]:
            raise Failed(f"the adapter says {report}")
        wait_until(lambda: "degraded" not in self.daemon.get("/healthz")[1], 10, "healthy again")
        wait_until(lambda: all(a["state"] == "resolved" for a in self.daemon.alerts()), 20, "every alert is resolved")
        expected = Expected(self.binaries, self.daemon.config, self.plan)
        check(expected, self.daemon, "at the end")
        self.daemon.kill()
        self.daemon.start_and_wait()
        check(expected, self.daemon, "after a kill -9")
        problems = compare_log(expected, self.daemon, self.daemon.status(), self.daemon.alerts())
        if problems:
            raise Failed("the log read at once: " + "; ".join(problems[:5]))
        self.daemon.stop()
        print(json.dumps({**report, "alerts": len(expected.alerts), **told}), flush=True)


def full(options, directory):
    disk = f"{directory}/disk"
    os.mkdir(disk)
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", f"size={1024 // slowdown}k", "tmpfs", disk):
        print("SKIPPED: a small tmpfs can be mounted by root only")
        sys.exit(77)
    try:
        scene = Scene(options, directory, f"{disk}/log")
        scene.daemon.start_and_wait()
        scene.load.start()
        scene.expect_trouble(60)
        full_after = time.time() - scene.start_ns / 1e9
        scene.expect_live_without_acks(3)
        # Dead and started again while there is no room: it comes up, and is as live as before.
        scene.daemon.kill()
        scene.daemon.start_and_wait()
        scene.expect_trouble()
        scene.expect_live_without_acks(3)
        if not mount("-o", "remount,size=64m", disk):
            raise Failed("cannot make room")
        wait_until(lambda: "degraded" not in scene.daemon.get("/healthz")[1], 10, "it goes on by itself")
        scene.finish({"full after s": round(full_after, 1)})
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def readonly(options, directory):
    scene = Scene(options, directory)
    trouble = f"{directory}/trouble"
    faults = {"LD_PRELOAD": f"{options.build}/tests/system/chaos/libreach_faults.so",
              "REACH_FAULT_DIRECTORY": scene.daemon.log_directory, "REACH_FAULT_CALL": "change",
              "REACH_FAULT_TIMES": "0", "REACH_FAULT_ERRNO": str(errno.EROFS), "REACH_FAULT_WHILE": trouble}
    scene.daemon.start_and_wait(faults)
    scene.load.start()
    scene.at(10)
    open(trouble, "w").close()
    scene.expect_trouble()
    scene.expect_live_without_acks(5)
    # A start refuses and names the directory, rather than to serve what it could never keep.
    scene.daemon.kill()
    refused = scene.daemon.log_directory
    for way in ("faults", "mount"):
        if way == "mount":
            os.remove(trouble)
            if os.geteuid() != 0 or not mount("--bind", refused, refused):
                print("not root: no start on a directory mounted read-only", flush=True)
                break
            if not mount("-o", "remount,ro,bind", refused):
                raise Failed("cannot mount read-only")
        scene.daemon.start(faults)
        try:
            code = scene.daemon.process.wait(20)
        finally:
            if way == "mount":
                subprocess.run(["umount", refused], check=False)
        said = scene.daemon.stderr().strip().splitlines()[-1]
        if code <= 0 or refused not in said or "Read-only" not in said:
            raise Failed(f"on a read-only directory it ended with {code} and said: {said}")
    scene.daemon.start_and_wait(faults)
    scene.finish({})


def slow(options, directory):
    scene = Scene(options, directory)
    scene.daemon.start_and_wait({"LD_PRELOAD": f"{options.build}/tests/system/chaos/libreach_faults.so",
                                 "REACH_FAULT_DIRECTORY": scene.daemon.log_directory, "REACH_FAULT_CALL": "fdatasync",
                                 "REACH_FAULT_ERRNO": "0", "REACH_FAULT_SLOW_MS": "2000"})
    listener = Listener(scene.daemon)
    scene.load.start()
    scene.at(SECONDS - 1)
    listener.stop()
    late = sorted(listener.late)
    if len(late) < 20:
        raise Failed(f"only {len(late)} alerts were heard")
    # Generous, for a machine that does other things: it is about the two seconds of the disk.
    if late[len(late) // 2] > 0.2 or late[-1] > 1.5:
        raise Failed(f"alerts wait for the disk: {late}")
    scene.finish({"alerts heard": len(late), "alert latency ms median": round(late[len(late) // 2] * 1000, 1),
                  "alert latency ms max": round(late[-1] * 1000, 1)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("what", choices=["full", "readonly", "slow"])
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--event-log", default="")
    options = parser.parse_args()
    options.seed = options.seed or int(os.environ.get("REACH_CHAOS_SEED", time.time_ns() % 1_000_000_007))
    print(f"seed {options.seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="reach-disk-")
    try:
        {"full": full, "readonly": readonly, "slow": slow}[options.what](options, directory)
    except Failed as problem:
        print(f"FAILED with --seed {options.seed}: {problem}\nthe files of the run: {directory}")
        return 1
    shutil.rmtree(directory)
    print("good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
