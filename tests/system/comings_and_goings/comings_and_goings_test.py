#!/usr/bin/env python3
"""Thousands of connections a minute to every port of the real reachd and of the wallboard beside it: adapters, subscribers,
askers, scrapers, browsers, and such as never say a whole word. They come, say something or nothing, and go, politely or
with a reset.

Afterwards nothing of them is left: no connection, no descriptor, no thread, no more memory than after the first of them;
and both programs, told to stop while more are coming, end well. In a build with the address sanitizer the exit code says
besides that nothing was used after its end and nothing was lost sight of.

    comings_and_goings_test.py REACHD REACHCTL REACH_WALLBOARD PROTO without_keys|with_keys [--seed N] [--visits N]
"""
import argparse
import glob
import multiprocessing
import os
import pathlib
import random
import re
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import zmq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))
from processes import Daemon, Failed, dies_with_us, environment, free_ports, slowdown, wait_until

WALLBOARD_FILES = 400    # descriptors that it gets
CROWDS = 4               # processes that visit at the same time
SOURCES = 8              # names that the adapters of one crowd go by
GROWTH_MOST_MIB = 12     # of resident memory, of each program, from the first fifth of the visits to the last
ANSWER_WITHIN_MS = 5000

WORLD = """
[[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
medium = "call"
[[contract]]
id = "c"
segments = ["sales"]
  [[contract.objective]]
  service = "phone"
  figure = "service_level"
  target = 0.8
  window = "30m"
"""
GUARDED = """
[security]
key_file = "{directory}/reachd.key"
allowed_keys = "{directory}/allowed"
"""


def reset(connection):
    """Ends it as a machine does that was switched off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Crowd:
    """Visitors of one process, one after another; up to a dozen ZeroMQ sockets stay for a while beside them."""

    def __init__(self, daemon, wallboard, number, seed, keys):
        from reachd.v1 import ingest_pb2, query_pb2  # made by main()
        self.ingest, self.query = ingest_pb2, query_pb2
        self.daemon, self.wallboard, self.keys = daemon, wallboard, keys
        self.random = random.Random(f"{seed}/{number}")
        self.context = zmq.Context()
        self.staying = []
        self.sources = [f"pbx-{number}-{i}" for i in range(SOURCES)]
        self.epoch = 0

    def visit(self):
        self.random.choice([self.adapter, self.subscriber, self.asker, self.scraper, self.scraper_that_goes,
                            self.browser, self.half_a_word])()

    def connect(self, kind, port):
        """A socket, and whether it is let in."""
        one = self.context.socket(kind)
        one.linger = 0
        name = "friend"
        if self.keys:
            name = self.random.choice(["friend"] * 9 + ["stranger"])
            one.curve_publickey, one.curve_secretkey = self.keys[name]
            one.curve_serverkey = self.keys["reachd"][0]
        one.connect(f"tcp://127.0.0.1:{port}")
        return one, name == "friend"

    def leave(self, one):
        """At once, or when a dozen others have come."""
        if self.random.random() < 0.5:
            one.close()
            return
        self.staying.append(one)
        if len(self.staying) > 12:
            self.staying.pop(self.random.randrange(12)).close()

    def heard(self, one, what):
        if not one.poll(ANSWER_WITHIN_MS * slowdown):
            raise Failed(f"{what} within {ANSWER_WITHIN_MS * slowdown} ms")
        return one.recv_multipart()

    def adapter(self):
        one, friend = self.connect(zmq.DEALER, self.daemon.ingest)
        source = self.random.choice(self.sources)
        self.epoch += 1
        hello = self.ingest.ToDaemon()
        hello.hello.source, hello.hello.epoch, hello.hello.next_sequence = source, self.epoch, 1
        one.send(hello.SerializeToString())
        if friend and self.random.random() < 0.7:
            answer = self.ingest.ToAdapter.FromString(self.heard(one, "no answer to a Hello")[0])
            if answer.HasField("welcome"):
                self.one_call(one, source)
            elif answer.reject.code != self.ingest.REJECT_CODE_SOURCE_IN_USE:  # one that stays has this name
                raise Failed(f"a Hello was answered with {answer}")
        self.leave(one)

    def one_call(self, one, source):
        """Offered, answered and ended; acknowledged if it stays to hear it."""
        message = self.ingest.ToDaemon()
        batch = message.batch
        batch.source, batch.epoch, batch.first_sequence, batch.sent_ns = source, self.epoch, 1, time.time_ns()
        for kind in ("offered", "answered", "ended"):
            event = batch.events.add(time_ns=time.time_ns(), contact=f"c{self.epoch}")
            getattr(event, kind).SetInParent()
            if kind == "offered":
                event.offered.queue = "sales"
        one.send(message.SerializeToString())
        while self.random.random() < 0.5:
            answer = self.ingest.ToAdapter.FromString(self.heard(one, "no acknowledgement")[0])
            if answer.HasField("ack"):
                return

    def subscriber(self):
        one, friend = self.connect(zmq.SUB, self.daemon.publish)
        one.subscribe(self.random.choice([b"", b"state/", b"alert/", b"system/_daemon"]))
        if friend and self.random.random() < 0.2:
            one.unsubscribe(b"alert/nobody")
            one.subscribe(b"system/_daemon")
            self.heard(one, "nothing published to a subscriber")
        self.leave(one)

    def asker(self):
        one, friend = self.connect(zmq.DEALER, self.daemon.query)
        request = self.query.Request(id=7)
        getattr(request, self.random.choice(["ping", "snapshot", "alerts", "staffing"])).SetInParent()
        one.send(request.SerializeToString())
        if friend and self.random.random() < 0.7:
            reply = self.query.Reply.FromString(self.heard(one, "no reply")[0])
            if reply.id != 7 or reply.HasField("error"):
                raise Failed(f"a request was answered with {reply}")
        self.leave(one)

    def scraper(self):
        port, path, wanted = self.random.choice([
            (self.daemon.metrics, "/metrics", b"200"), (self.daemon.metrics, "/healthz", b"200"),
            (self.daemon.metrics, "/readyz", b"200"), (self.daemon.metrics, "/nothing", b"404"),
            (self.wallboard.port, "/healthz", b"200"), (self.wallboard.port, "/api/v1/alerts", b"200"),
            (self.wallboard.port, "/api/v1/history?segment=sales", b"200")])
        with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_MS / 1000 * slowdown) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: one.recv(65536), b""))
        if answer[9:12] != wanted:
            raise Failed(f"{path} was answered with {answer[:100]}")

    def browser(self):
        """Looks at the live stream for a moment."""
        with socket.create_connection(("127.0.0.1", self.wallboard.port), ANSWER_WITHIN_MS / 1000 * slowdown) as one:
            one.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if one.recv(65536)[9:12] != b"200":
                raise Failed("the stream was refused")

    def scraper_that_goes(self):
        """Before the answer, or before the question."""
        port, path = self.random.choice([(self.daemon.metrics, "/metrics"), (self.wallboard.port, "/api/v1/state"),
                                         (self.wallboard.port, "/api/v1/stream")])
        one = socket.create_connection(("127.0.0.1", port), 5)
        said = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * self.random.choice([1, 1, 3])
        one.sendall(said[:self.random.choice([0, 10, len(said)])])
        self.random.choice([reset, socket.socket.close])(one)

    def half_a_word(self):
        """At a ZeroMQ port: nothing, a part of a greeting, or no ZeroMQ at all."""
        port = self.random.choice([self.daemon.ingest, self.daemon.publish, self.daemon.query])
        one = socket.create_connection(("127.0.0.1", port), 5)
        greeting = (b"\xff" + bytes(8) + b"\x7f\x03\x01" + self.random.choice([b"NULL", b"CURVE"])).ljust(64, b"\0")
        one.sendall(self.random.choice([b"", greeting[:10], greeting, greeting + b"\x04\x05READY", b"GET / HTTP/1.1\r\n"]))
        self.random.choice([reset, socket.socket.close])(one)


def visit(daemon, wallboard, number, seed, keys, visits, why):
    """A crowd, in a process of its own. `visits`: how many; 0: until the process is ended."""
    dies_with_us()
    try:
        crowd = Crowd(daemon, wallboard, number, seed, keys)
        for _ in range(visits) if visits else iter(int, 1):
            crowd.visit()
        crowd.context.destroy(0)
    except (Failed, OSError) as problem:
        why.put(f"{type(problem).__name__}: {problem}")
        sys.exit(1)


class Visits:
    def __init__(self, daemon, wallboard, seed, keys):
        self.daemon, self.wallboard, self.seed, self.keys = daemon, wallboard, seed, keys
        self.why = multiprocessing.SimpleQueue()
        self.times = 0

    def begin(self, visits):
        self.times += 1
        seed = f"{self.seed}/{self.times}"
        crowds = [multiprocessing.Process(target=visit, args=(self.daemon, self.wallboard, number, seed, self.keys,
                                                              visits // CROWDS, self.why)) for number in range(CROWDS)]
        for crowd in crowds:
            crowd.start()
        return crowds

    def make(self, visits):
        """Returns visits a minute."""
        began = time.monotonic()
        for crowd in self.begin(visits):
            crowd.join()
        if not self.why.empty():
            raise Failed(self.why.get())
        return round(visits / (time.monotonic() - began) * 60)


class Wallboard:
    """reach-wallboard as a client of that daemon."""

    def __init__(self, program, daemon, directory, guarded):
        self.port = free_ports(1)[0]
        self.stderr_path = f"{directory}/wallboard.stderr"
        keys = ["--key", f"{directory}/friend.key", "--server-key", f"{directory}/reachd.pub"] if guarded else []
        with open(self.stderr_path, "wb") as errors:
            self.process = subprocess.Popen(
                [program, "--listen", f"127.0.0.1:{self.port}", "--publish", f"tcp://127.0.0.1:{daemon.publish}", "--query",
                 f"tcp://127.0.0.1:{daemon.query}", *keys], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors, preexec_fn=self.begin, env=environment())
        wait_until(self.knows_the_daemon, 20, "the wallboard shows what reachd publishes")

    @staticmethod
    def begin():
        """In the new process: few descriptors, as in a shell, that may become some more."""
        dies_with_us()
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, WALLBOARD_FILES))

    def meet_more_than_it_has_room_for(self):
        """All at the same time, and without a word."""
        everybody = []
        for _ in range(WALLBOARD_FILES + 100):
            everybody.append(socket.create_connection(("127.0.0.1", self.port), 5 * slowdown))
        wait_until(lambda: len(os.listdir(f"/proc/{self.process.pid}/fd")) > WALLBOARD_FILES * 3 // 4, 10,
                   "it has let in as many as it may")
        for one in everybody:
            one.close()
        wait_until(self.knows_the_daemon, 20, "the wallboard answers again when they have gone")

    def knows_the_daemon(self):
        if self.process.poll() is not None:
            raise Failed(f"reach-wallboard ended at its start: {self.stderr()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/state", timeout=2 * slowdown) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stderr(self):
        with open(self.stderr_path, errors="replace") as lines:
            return lines.read()

    def stop(self, seconds):
        self.process.terminate()
        return self.process.wait(seconds * slowdown)


class Left:
    """What there is of a program when its visitors have gone."""

    def __init__(self, name, process):
        self.name, self.process = name, process
        self.descriptors, self.since = None, time.monotonic()
        wait_until(self.settled, 20, f"the descriptors of {name} settle")
        self.threads = len(os.listdir(f"/proc/{process.pid}/task"))
        with open(f"/proc/{process.pid}/statm") as statm:
            self.resident_mib = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)

    def settled(self):
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        if descriptors != self.descriptors:
            self.descriptors, self.since = descriptors, time.monotonic()
        return time.monotonic() - self.since > 1

    def expect_no_more_than(self, before):
        print(f"{self.name}: {before} → {self}", flush=True)
        if self.descriptors > before.descriptors or self.threads > before.threads:
            raise Failed(f"something of its visitors is left in {self.name}")
        if self.resident_mib > before.resident_mib + GROWTH_MOST_MIB * slowdown:
            raise Failed(f"resident memory of {self.name} grew by {self.resident_mib - before.resident_mib:.1f} MiB")

    def __str__(self):
        return f"{self.descriptors} descriptors, {self.threads} threads, {self.resident_mib:.1f} MiB resident"


def send_endless_messages(daemon):
    """To each ZeroMQ port one frame after the other of a message that has no last one."""
    before = daemon.metric('reachd_refused_total{reason="endless_message"}') or 0
    greeting = (b"\xff" + bytes(8) + b"\x7f\x03\0NULL").ljust(64, b"\0")
    frames = (b"\x01\xc8" + bytes(200)) * 1000  # each with the flag that more follow
    for port, kind in ((daemon.ingest, b"DEALER"), (daemon.publish, b"SUB"), (daemon.query, b"DEALER")):
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
        sent = 0
        with socket.create_connection(("127.0.0.1", port), 5 * slowdown) as one:
            said = b""
            for ours, theirs in ((greeting, b"READY"), (bytes((4, len(ready))) + ready, b"PING")):
                one.sendall(ours)
                while theirs not in said:
                    said += one.recv(4096)
            one.settimeout(2 * slowdown)
            try:
                while sent < 1 << 30:
                    sent += one.send(frames)
            except OSError:  # reset, or taken in no more
                pass
        if sent >= 1 << 30:
            raise Failed(f"a gigabyte of one message was taken at port {port}")
    wait_until(lambda: (daemon.metric('reachd_refused_total{reason="endless_message"}') or 0) >= before + 3, 10,
               "three endless messages are counted")


def connections(daemon):
    """As reachd itself counts them."""
    return sum(daemon.metric(f'reachd_connections{{socket="{name}"}}') for name in ("ingest", "publish", "query"))


def make_keys(reachctl, directory):
    """{name: (public, secret)}; only the friend is allowed."""
    keys = {}
    for name, role in (("reachd", "server"), ("friend", "operator"), ("stranger", "operator")):
        subprocess.run([reachctl, "keygen", name, "--role", role, "--directory", directory], check=True,
                       stdout=subprocess.DEVNULL)
        public = re.search(r'public_key = "(.*)"', pathlib.Path(f"{directory}/{name}.pub").read_text())[1]
        keys[name] = public.encode(), pathlib.Path(f"{directory}/{name}.key").read_text().strip().encode()
    os.mkdir(f"{directory}/allowed")
    shutil.copy(f"{directory}/friend.pub", f"{directory}/allowed")
    return keys


def run(options, directory):
    subprocess.run(["protoc", "-I", options.proto, f"--python_out={directory}",
                    *glob.glob(f"{options.proto}/reachd/v1/*.proto")], check=True)
    sys.path.insert(0, directory)
    guarded = options.keys == "with_keys"
    keys = make_keys(options.reachctl, directory) if guarded else {}
    daemon = Daemon(options, directory, WORLD + (GUARDED.format(directory=directory) if guarded else ""))
    daemon.start_and_wait(environment())
    wallboard = Wallboard(options.wallboard, daemon, directory, guarded)
    programs = {"reachd": daemon, "reach-wallboard": wallboard}
    visits = Visits(daemon, wallboard, options.seed, keys)
    visits.make(options.visits // 5)
    wallboard.meet_more_than_it_has_room_for()
    if not guarded:  # a ZeroMQ client sends no message before its end; a stranger who can write bytes can
        send_endless_messages(daemon)
    before = {name: Left(name, program.process) for name, program in programs.items()}
    counted = connections(daemon)
    print(f"{visits.make(options.visits - options.visits // 5)} visits a minute", flush=True)
    for name, program in programs.items():
        Left(name, program.process).expect_no_more_than(before[name])
    if connections(daemon) != counted:  # those of the wallboard
        raise Failed(f"reachd counts {connections(daemon)} connections, and before it were {counted}")
    if guarded and not daemon.metric('reachd_refused_total{reason="unknown_key"}'):
        raise Failed("no stranger was refused")

    crowds = visits.begin(0)
    time.sleep(0.5)
    try:
        codes = {name: program.stop(30) for name, program in programs.items()}  # while they come
    finally:
        for crowd in crowds:
            crowd.kill()
    for name, code in codes.items():
        if code != 0:
            raise Failed(f"{name} ended with {code}:\n{programs[name].stderr()[-6000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("reachd", "reachctl", "wallboard", "proto"):
        parser.add_argument(name)
    parser.add_argument("keys", choices=["without_keys", "with_keys"])
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--visits", type=int, default=4000)
    options = parser.parse_args()
    options.seed = options.seed or time.time_ns() % 1_000_000_007
    print(f"seed {options.seed}", flush=True)
    multiprocessing.set_start_method("fork")
    with tempfile.TemporaryDirectory() as directory:
        try:
            run(options, directory)
        except Failed as problem:
            print(f"FAILED with --seed {options.seed}: {problem}")
            return 1
    print("good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
