"""Real processes for the chaos tests: reachd, reach-load, and a TCP proxy between them that cuts, stalls and delays.

Everything listens on loopback, every wait is bounded, and every process ends with the test.
"""
import collections
import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
import urllib.request

# How many times slower than usual the programs are: those of the sanitizers' builds. Waits are as much longer.
slowdown = int(os.environ.get("REACH_SLOWDOWN", "1"))
GUARD_S = 9.0  # incident_guard of tests/load/world.hpp: events may be so late and change no decision


class Failed(Exception):
    """A sentence that says what is wrong."""


def dies_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def free_ports(count):
    """All at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until(condition, seconds, what):
    seconds *= slowdown
    until = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > until:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def a_timezone_around_noon():
    """A run in it crosses no midnight. (Etc/GMT-3 is three hours ahead of UTC.)"""
    ahead = 12 - time.gmtime().tm_hour
    return "UTC" if ahead == 0 else f"Etc/GMT{-ahead:+d}"


def environment():
    """Where memory is measured, of the address sanitizer's build alone: what was freed is soon memory again, so that
    growth is growth."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2"}


class Daemon:
    """reachd with a configuration and a log directory of its own."""

    def __init__(self, binaries, directory, world, log_directory=None, event_log=""):
        self.binaries = binaries
        self.directory = directory
        self.log_directory = log_directory or f"{directory}/log"
        self.ingest, self.publish, self.query, self.metrics = free_ports(4)
        self.config = f"{directory}/reachd.toml"
        with open(self.config, "w") as out:
            out.write(world)
            out.write(f'\n[endpoints]\ningest = "tcp://127.0.0.1:{self.ingest}"\n'
                      f'publish = "tcp://127.0.0.1:{self.publish}"\nquery = "tcp://127.0.0.1:{self.query}"\n'
                      f'metrics = "http://127.0.0.1:{self.metrics}"\n'
                      f'[event_log]\ndirectory = "{self.log_directory}"\n{event_log}')
        self.process = None
        self.stderr_path = f"{directory}/reachd.stderr"
        self.started_at = self.down_since = None
        self.start_times = []  # seconds from start to ready
        self.longest_outage = 0.0

    def start(self, environment=None):
        with open(self.stderr_path, "ab") as errors:
            self.process = subprocess.Popen([self.binaries.reachd, "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=dies_with_us,
                                            env={**os.environ, **(environment or {})})
        self.started_at = time.monotonic()
        self.down_since = self.down_since or self.started_at
        self.is_ready = False

    def ready(self):
        """Whether it takes events; cheap to ask again and again."""
        if not self.is_ready and self.get("/readyz")[0] == 200:
            self.is_ready = True
            now = time.monotonic()
            self.start_times.append(now - self.started_at)
            self.longest_outage = max(self.longest_outage, now - self.down_since)
            self.down_since = None
        return self.is_ready

    def start_and_wait(self, environment=None, seconds=60):
        self.start(environment)

        def ready_or_ended():
            if self.process.poll() is not None:
                raise Failed(f"reachd ended at its start with {self.process.returncode}: {self.stderr()[-600:]}")
            return self.ready()
        wait_until(ready_or_ended, seconds, "reachd is ready")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.down_since = self.down_since or time.monotonic()
        self.is_ready = False

    def stop(self, seconds=30):
        self.process.terminate()
        code = self.process.wait(seconds * slowdown)
        self.down_since = self.down_since or time.monotonic()
        self.is_ready = False
        return code

    def stderr(self):
        with open(self.stderr_path, errors="replace") as lines:
            return lines.read()

    def get(self, path):
        """Status and body; (0, "") if nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=2 * slowdown) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name):
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def reachctl(self, *arguments, **options):
        done = subprocess.run([self.binaries.reachctl, "--json", "--config", self.config, *arguments],
                              capture_output=True, text=True, timeout=options.get("timeout", 60) * slowdown)
        if done.returncode != 0:
            raise Failed(f"reachctl {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-400:]}")
        return done.stdout

    def status(self, window="day"):
        return json.loads(self.reachctl("status", "--window", window))

    def alerts(self):
        return json.loads(self.reachctl("alerts", "--all"))["alerts"]


class Load:
    """reach-load with spools in files: killed and started again it goes on where it was."""

    def __init__(self, binaries, directory, plan, port):
        self.arguments = [binaries.reach_load, *plan, "--endpoint", f"tcp://127.0.0.1:{port}", "--spool",
                          f"{directory}/spool", "--timeout", "120"]
        self.stderr_path = f"{directory}/load.stderr"
        self.process = None
        self.down_since = None
        self.longest_outage = 0.0

    def start(self):
        with open(self.stderr_path, "ab") as errors:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=errors, preexec_fn=dies_with_us)
        if self.down_since:
            self.longest_outage = max(self.longest_outage, time.monotonic() - self.down_since)

    def kill(self):
        self.down_since = time.monotonic()
        self.process.kill()
        self.process.wait()

    def running(self):
        return self.process.poll() is None

    def finish(self, seconds):
        """What it printed at its end."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed("reach-load did not end") from None
        if self.process.returncode != 0:
            with open(self.stderr_path) as lines:
                raise Failed(f"reach-load ended with {self.process.returncode}: {out.decode()} {lines.read()[-600:]}")
        return json.loads(out)


class LinesLoad:
    """The same events as JSON lines, each when it is due, through `reachctl send`: one pair of processes a source."""

    def __init__(self, binaries, directory, plan, port, sources):
        self.binaries, self.plan, self.port, self.sources = binaries, plan, port, sources
        self.stderr_path = f"{directory}/send.stderr"
        self.senders = []

    def start(self):
        with open(self.stderr_path, "ab") as errors:
            for source in self.sources:
                lines = subprocess.Popen([self.binaries.reach_load, *self.plan, "--print", "events", "--paced", "--only",
                                          source], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                         preexec_fn=dies_with_us)
                self.senders.append(subprocess.Popen(
                    [self.binaries.reachctl, "--json", "--endpoint", f"tcp://127.0.0.1:{self.port}", "send", "--source",
                     source, "--timeout", "120"], stdin=lines.stdout, stdout=subprocess.PIPE, stderr=errors,
                    preexec_fn=dies_with_us))
                lines.stdout.close()

    def finish(self, seconds):
        done = {"sent": 0, "acknowledged": 0, "bad_lines": 0, "lost": 0}
        until = time.monotonic() + seconds
        for sender in self.senders:
            try:
                out, _ = sender.communicate(timeout=max(1.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise Failed("reachctl send did not end") from None
            if sender.returncode != 0:
                raise Failed(f"reachctl send ended with {sender.returncode}: {out.decode()}")
            for name, value in json.loads(out).items():
                if name in done:
                    done[name] += value
        return done


class Proxy(threading.Thread):
    """TCP to `target` with faults: cut() ends every connection, stall() passes nothing on for a while, and what
    comes is `delay` seconds late."""

    class Way:
        """Bytes from one socket to another."""

        def __init__(self, source, sink):
            self.source, self.sink = source, sink
            self.waiting = collections.deque()  # (due, bytes)
            self.size = 0

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.delay = 0.0
        self.stalled_until = 0.0
        self.cut_wanted = False
        self.stopping = False
        self.cuts = 0
        self.ways = {}  # source socket: Way

    def cut(self):
        self.cut_wanted = True

    def stall(self, seconds):
        self.stalled_until = time.monotonic() + seconds

    def stop(self):
        self.stopping = True
        self.join(5)

    def accept(self, selector):
        try:
            near, _ = self.listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=1)
        except OSError:
            near.close()  # as if the daemon's machine refused
            return
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(end, selectors.EVENT_READ)
        self.ways[near] = self.Way(near, far)
        self.ways[far] = self.Way(far, near)

    def close(self, selector, end):
        other = self.ways[end].sink
        for each in (end, other):
            self.ways.pop(each, None)
            selector.unregister(each)
            each.close()

    def run(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        while not self.stopping:
            now = time.monotonic()
            stalled = now < self.stalled_until
            busy = any(way.waiting for way in self.ways.values())
            for key, _ in selector.select(0.002 if busy or stalled else 0.02):
                if key.fileobj is self.listener:
                    self.accept(selector)
                    continue
                way = self.ways.get(key.fileobj)
                if way is None or stalled or way.size > 4 << 20:
                    continue  # not read: TCP holds the sender back
                try:
                    chunk = way.source.recv(1 << 18)
                except BlockingIOError:
                    continue
                except OSError:
                    chunk = b""
                if not chunk:
                    self.close(selector, way.source)
                    continue
                way.waiting.append((now + self.delay, chunk))
                way.size += len(chunk)
            if stalled:
                time.sleep(0.002)
            elif self.cut_wanted:
                self.cut_wanted = False
                self.cuts += 1
                while self.ways:
                    self.close(selector, next(iter(self.ways)))
            else:
                self.pass_on(selector)
        for end in list(self.ways):
            end.close()
        self.listener.close()

    def pass_on(self, selector):
        now = time.monotonic()
        for way in list(self.ways.values()):
            while way.waiting and way.waiting[0][0] <= now and way.source in self.ways:
                due, chunk = way.waiting.popleft()
                try:
                    sent = way.sink.send(chunk)
                except BlockingIOError:
                    sent = 0
                except OSError:
                    self.close(selector, way.source)
                    break
                way.size -= sent
                if sent < len(chunk):
                    way.waiting.appendleft((due, chunk[sent:]))
                    break
