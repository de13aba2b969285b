"""strangers_test.py REACHD REACHCTL [CASE…]: what strangers, and friends who go too far, can do to the real reachd.

Each case is one kind of visitor. Afterwards it was refused or cut off, /metrics counted it, the log names who it was, and
reachd's memory has not grown by more than its bound. All the while a viewer with a good key listens and asks: how long
the stream and the answers stopped at most is measured and printed. Everything is on loopback and ends with the test.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import types

import zmq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))
from processes import Daemon, Failed, dies_with_us, environment, slowdown, wait_until

GAP_MOST_S = 2.0 * slowdown      # the pulse comes every second
GROWTH_MOST_MIB = 64 * slowdown  # of resident memory, in one case; a sanitizer keeps its own account of each byte
CONNECTIONS, SUBSCRIPTIONS = 300, 500

WORLD = """
[[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
medium = "call"
[[contract]]
id = "c"
client = "Everybody"
segments = ["sales"]
  [[contract.objective]]
  id = "wait"
  service = "phone"
  figure = "longest_wait_s"
  target = "1s"
  window = "now"
[security]
key_file = "{directory}/reachd.key"
allowed_keys = "{directory}/allowed"
[publish]
max_subscriptions = {subscriptions}
""" + "".join(f"""
[[segment]]
id = "segment-{i}-of-a-large-company"
queues = ["queue-{i}"]
""" for i in range(1000))
PING = b"\x08\x01\x12\x00"      # Request { id: 1, ping {} }
SNAPSHOT = b"\x08\x01\x1a\x00"  # Request { id: 1, snapshot {} }


def read_key(path):
    """A .key (secret) or .pub file as what ZeroMQ wants."""
    text = pathlib.Path(path).read_text()
    return (re.search(r'public_key = "(.*)"', text)[1] if str(path).endswith(".pub") else text.strip()).encode()


class Visitor:
    """One socket of a client, as anybody could write it."""

    def __init__(self, kind, port, key=None, server=None, monitor=0, takes_in=1000):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger = 0
        self.socket.rcvhwm = takes_in  # messages; then it leaves them in the network
        if key:
            self.socket.curve_secretkey = read_key(f"{key}.key")
            self.socket.curve_publickey = read_key(f"{key}.pub")
            self.socket.curve_serverkey = read_key(server)
        self.events = self.socket.get_monitor_socket(monitor) if monitor else None
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def hears(self, seconds):
        return self.socket.poll(seconds * slowdown * 1000) != 0

    def saw(self, seconds):
        """Whether one of the events that it monitors came."""
        return self.events.poll(seconds * slowdown * 1000) != 0

    def close(self):
        self.context.destroy(0)


def look_on(publish, query, key, server, gaps, stop):
    """The healthy viewer, a process of its own: longest pauses of the pulse and of an answer."""
    dies_with_us()
    stream, ask = Visitor(zmq.SUB, publish, key, server), Visitor(zmq.DEALER, query, key, server)
    stream.socket.subscribe(b"system/_daemon")
    poller = zmq.Poller()
    poller.register(stream.socket, zmq.POLLIN)
    poller.register(ask.socket, zmq.POLLIN)
    now = time.monotonic()
    pulse, asked, answered = now, None, now
    while not stop.value:
        ready = dict(poller.poll(20))
        now = time.monotonic()
        if stream.socket in ready:
            stream.socket.recv_multipart()
            pulse = now
        if ask.socket in ready:
            ask.socket.recv_multipart()
            answered, asked = now, None
        if asked is None and now - answered > 0.02:
            ask.socket.send(PING)
            asked = now
        gaps[0] = max(gaps[0], now - pulse)
        gaps[1] = max(gaps[1], now - asked if asked else 0)


class Test:
    def __init__(self, binaries, directory):
        self.directory, self.binaries = directory, binaries
        os.mkdir(f"{directory}/allowed")
        self.keygen("reachd", "server")
        self.keygen("pbx1", "adapter")
        self.keygen("desk", "viewer")
        self.keygen("chief", "supervisor")
        self.keygen("root", "operator")
        for name in ("pbx1", "desk", "chief", "root"):
            self.allow(name)
        self.keygen("stranger", "operator")  # never allowed
        self.keygen("guest", "viewer")       # allowed for a while
        self.keygen("elsewhere", "server")   # another daemon's
        self.daemon = Daemon(binaries, directory, WORLD.format(directory=directory, subscriptions=SUBSCRIPTIONS))
        config = pathlib.Path(self.daemon.config)
        config.write_text(config.read_text().replace("[endpoints]", f"[endpoints]\nmax_connections = {CONNECTIONS}"))
        self.daemon.start_and_wait(environment())
        self.server = f"{directory}/reachd.pub"

    def keygen(self, name, role):
        subprocess.run([self.binaries.reachctl, "keygen", name, "--role", role, "--directory", self.directory],
                       check=True, stdout=subprocess.DEVNULL)

    def key(self, name):
        return f"{self.directory}/{name}"

    def allow(self, name):
        shutil.copy(f"{self.directory}/{name}.pub", f"{self.directory}/allowed")

    def reload(self, said):
        before = self.daemon.stderr().count(said)
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.stderr().count(said) > before, 5, f"the log says {said!r} after SIGHUP")

    def visit(self, kind, port, name, monitor=0, takes_in=1000):
        return Visitor(kind, port, self.key(name), self.server, monitor, takes_in)

    def reachctl(self, *arguments, key=None, server="reachd", stdin=""):
        """Exit code, output, seconds."""
        keys = ["--key", f"{self.key(key)}.key", "--server-key", f"{self.key(server)}.pub"] if key else []
        began = time.monotonic()
        done = subprocess.run([self.binaries.reachctl, "--config", self.daemon.config, *keys, *arguments],
                              input=stdin, capture_output=True, text=True, timeout=30 * slowdown)
        return done.returncode, done.stdout + done.stderr, time.monotonic() - began

    def counted(self, reason):
        return self.daemon.metric(f'reachd_refused_total{{reason="{reason}"}}') or 0

    def rss_mib(self):
        if self.daemon.process.poll() is not None:
            return 0
        with open(f"/proc/{self.daemon.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)

    def expect_counted(self, reason, before, at_least=1):
        wait_until(lambda: self.counted(reason) - before >= at_least, 5,
                   f"/metrics counts {reason} (it was {before}, is {self.counted(reason)})")

    def expect_log(self, pattern):
        wait_until(lambda: re.search(pattern, self.daemon.stderr()), 5, f"the log says {pattern!r}")

    # ---- the visitors ------------------------------------------------------------------------------------------------

    def case_wrong_key(self):
        """A key that nobody allowed, at all three sockets."""
        before = self.counted("unknown_key")
        for kind, port in ((zmq.DEALER, self.daemon.ingest), (zmq.SUB, self.daemon.publish),
                           (zmq.DEALER, self.daemon.query)):
            visitor = self.visit(kind, port, "stranger", zmq.EVENT_HANDSHAKE_FAILED_AUTH)
            if kind == zmq.SUB:
                visitor.socket.subscribe(b"")
            else:
                visitor.socket.send(PING)
            check(visitor.saw(3), "the visitor is told that it is refused")
            check(not visitor.hears(0.3), "nothing was answered or published to an unknown key")
            visitor.close()
        self.expect_counted("unknown_key", before, 3)
        start = read_key(self.key("stranger") + ".pub").decode()[:8]
        self.expect_log("refused at the ingest socket, from 127.0.0.1: the key " + re.escape(start))

    def case_no_key(self):
        """A client that does not encrypt."""
        for name, kind, port in (("ingest", zmq.DEALER, self.daemon.ingest), ("publish", zmq.SUB, self.daemon.publish),
                                 ("query", zmq.DEALER, self.daemon.query)):
            before = self.counted("handshake")
            visitor = Visitor(kind, port)
            if kind == zmq.SUB:
                visitor.socket.subscribe(b"")
            else:
                visitor.socket.send(PING)
            check(not visitor.hears(0.5), "nothing was answered or published without a key")
            self.expect_counted("handshake", before)  # it is still there: reachd may be slower than it is patient
            visitor.close()
            self.expect_log(rf"refused at the {name} socket, from 127.0.0.1:\d+: it does not speak ZeroMQ with the keys")

    def case_roles(self):
        """Good keys at the wrong sockets."""
        before = self.counted("role")
        for name, kind, port, door in (("pbx1", zmq.SUB, self.daemon.publish, "publish"),
                                       ("desk", zmq.DEALER, self.daemon.ingest, "ingest"),
                                       ("chief", zmq.DEALER, self.daemon.ingest, "ingest")):
            visitor = self.visit(kind, port, name)
            visitor.socket.subscribe(b"") if kind == zmq.SUB else visitor.socket.send(PING)
            check(not visitor.hears(0.5), f"nothing comes to {name} at the {door} socket")
            visitor.close()
            self.expect_log(f"refused at the {door} socket, from 127.0.0.1: the key {name} has the role")
        self.expect_counted("role", before, 3)

    def case_source_of_another(self):
        """An adapter that gives itself another's name."""
        before = self.counted("foreign_source")
        code, said, _ = self.reachctl("send", "--source", "pbx2", "--timeout", str(slowdown), key="pbx1",
                                      stdin='{"time":"2026-11-23T08:00:00Z","contact":"c","offered":{"queue":"sales"}}\n')
        check(code in (1, 69) and 'the key pbx1 may not send as "pbx2"' in said, f"a foreign source: {code} {said}")
        self.expect_counted("foreign_source", before)
        self.expect_log('the key pbx1 may not send as "pbx2"; its sources are pbx1')
        # Nor behind its own name, in the events themselves.
        before = self.counted("foreign_source")
        code, said, _ = self.reachctl("send", "--source", "pbx1", key="pbx1", stdin='{"time":"2026-11-23T08:00:00Z",'
                                      '"source":"pbx2","contact":"c","offered":{"queue":"sales"}}\n')
        check(code == 0, f"it is acknowledged, for sending it again would not help: {code} {said}")
        self.expect_counted("foreign_source", before)
        self.expect_log('an event of pbx1 is left out: the key pbx1 may not send as "pbx2"')
        sources = json.loads(self.reachctl("--json", "status", key="desk")[1])["sources"]
        check([s["id"] for s in sources if s["id"] == "pbx2"] == [], f"nothing is known of pbx2: {sources}")

    def case_acknowledging(self):
        """A viewer takes an alert and may not; a supervisor may, and the alert names his key. An adapter may only ping."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        code, said, _ = self.reachctl("send", "--source", "pbx1", key="pbx1",
                                      stdin=f'{{"time":"{now}","contact":"w","offered":{{"queue":"sales"}}}}\n')
        check(code == 0, f"the adapter sends with its key: {code} {said}")

        def firing():
            alerts = json.loads(self.reachctl("--json", "alerts", key="desk")[1])["alerts"]
            return [alert["id"] for alert in alerts if alert["kind"] == "longest_wait"]
        alert = wait_until(firing, 10, "the alert fires")[0]
        before = self.counted("not_allowed")
        code, said, _ = self.reachctl("ack", alert, "--note", "mine", key="desk")
        check(code == 1 and "the key desk has the role viewer" in said, f"a viewer acknowledges: {code} {said}")
        code, said, _ = self.reachctl("status", key="pbx1")
        check(code == 1 and "the key pbx1 has the role adapter" in said, f"an adapter asks for figures: {code} {said}")
        self.expect_counted("not_allowed", before, 2)
        self.expect_log("refused at the query socket: the key desk has the role viewer")
        code, said, _ = self.reachctl("--json", "ack", alert, "--note", "on it", "--by", "anna", key="chief")
        check(code == 0 and "anna (key chief)" in said, f"a supervisor acknowledges: {code} {said}")

    def case_programs(self):
        """What our own programs say when they are not let in: a sentence, exit 69, and soon."""
        for key, server, words in (("stranger", "reachd", "refuses the key"), (None, None, "let.? in only who has a key"),
                                   ("desk", "elsewhere", "really the public key")):
            code, said, took = self.reachctl("status", key=key, server=server)
            check(code == 69 and re.search(words, said) and took < 2.5 * slowdown, f"status of {key}: {code} {took:.1f} s {said}")
        code, said, took = self.reachctl("send", "--source", "pbx1", key="stranger", stdin='{"time":"2026-11-23T08:00:00Z"'
                                         ',"contact":"c","offered":{"queue":"sales"}}\n')
        check(code == 69 and "refuses the key" in said and took < 2.5 * slowdown, f"send of a stranger: {code} {took:.1f} s {said}")

    def case_garbage_frames(self):
        """Good keys, bad bytes."""
        before = self.daemon.metric('reachd_events_rejected_total{reason="malformed"}') or 0
        adapter, desk = self.visit(zmq.DEALER, self.daemon.ingest, "pbx1"), self.visit(zmq.DEALER, self.daemon.query, "desk")
        for i in range(2000):
            adapter.socket.send(os.urandom(1 + i % 500))
            desk.socket.send_multipart([os.urandom(20)] * (1 + i % 3))
        adapter.socket.send_multipart([b"x"] * 200)
        check(adapter.hears(2) and desk.hears(2), "garbage is answered with a rejection")
        adapter.close()
        desk.close()
        check(self.daemon.metric('reachd_events_rejected_total{reason="malformed"}') > before, "garbage is counted")

    def case_garbage_bytes(self):
        """Bytes that are no ZeroMQ at all, at each port, and connections that say nothing."""
        before = self.counted("handshake")
        for port in (self.daemon.ingest, self.daemon.publish, self.daemon.query):
            for start in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" + bytes(8) + b"\x7f\x03"):
                with socket.create_connection(("127.0.0.1", port)) as one:
                    try:
                        one.sendall(start + os.urandom(200_000))
                        one.settimeout(1)
                        while one.recv(65536):
                            pass
                    except OSError:
                        pass
        self.expect_counted("handshake", before, 3)  # ZeroMQ tells of those only that begin like one of its own

    def case_gigabyte_of_a_stranger(self):
        """A greeting, then a frame that says it is a gigabyte long, as far as it is taken."""
        greeting = (b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE").ljust(64, b"\0")
        for port in (self.daemon.ingest, self.daemon.publish, self.daemon.query):
            sent = 0
            with socket.create_connection(("127.0.0.1", port)) as one:
                one.settimeout(5)
                try:
                    one.sendall(greeting + b"\x06" + struct.pack(">Q", 1 << 30))
                    while sent < 1 << 30:
                        sent += one.send(bytes(1 << 20))
                except OSError:
                    pass
            check(sent < 64 << 20, f"of a gigabyte {sent >> 20} MiB were taken")

    def case_large_message_of_a_friend(self):
        """Good keys and messages far over the limit: the connection ends."""
        for kind, port, name in ((zmq.DEALER, self.daemon.ingest, "pbx1"), (zmq.DEALER, self.daemon.query, "desk")):
            visitor = self.visit(kind, port, name, zmq.EVENT_DISCONNECTED)
            visitor.socket.send(bytes(100 << 20))
            check(visitor.saw(10), f"a message of 100 MiB of {name} ends its connection")
            visitor.close()

    def case_subscriptions(self):
        """A viewer that subscribes to a million topics."""
        before = self.counted("too_many_subscriptions")
        run(subscribe_to_a_million, self.daemon.publish, self.key("desk"), self.server)
        self.expect_counted("too_many_subscriptions", before)
        self.expect_log(r"cut off at the publish socket, from 127.0.0.1:\d+: it has more than 500 subscriptions")

    def case_long_subscription(self):
        """A viewer that subscribes to what no topic can be."""
        before = self.counted("long_subscription")
        desk = self.visit(zmq.SUB, self.daemon.publish, "desk", zmq.EVENT_DISCONNECTED)
        desk.socket.subscribe(bytes(257))
        check(desk.saw(5), "a subscription of 257 bytes ends its connection")
        self.expect_counted("long_subscription", before)
        desk.close()

    def case_askers_who_do_not_read(self):
        """Viewers that ask for snapshots of everything, again and again, and take no answer in."""
        visitors = [self.visit(zmq.DEALER, self.daemon.query, "desk", takes_in=1) for _ in range(8)]
        rss = self.rss_mib()
        # One after the other: a connection that answers no heartbeat is cut before a slow reachd has filled eight.
        for visitor in visitors:
            before = self.counted("unread_answers")
            for _ in range(300):
                visitor.socket.send(SNAPSHOT)
            self.expect_counted("unread_answers", before)
        growth = self.rss_mib() - rss
        check(growth < GROWTH_MOST_MIB, f"what all of them leave unread takes {growth:.1f} MiB")
        self.expect_log(r"somebody asks and does not read the answers, with the key desk")
        for visitor in visitors:
            visitor.close()
        code, said, _ = self.reachctl("status", key="desk")
        check(code == 0, f"who reads is answered: {code} {said[:200]}")

    def case_connections(self):
        """Ten thousand connections that say nothing, to each socket a third."""
        before = self.counted("too_many_connections")
        run(connect_ten_thousand, (self.daemon.ingest, self.daemon.publish, self.daemon.query))
        self.expect_counted("too_many_connections", before, 3000)
        self.expect_log(rf"it is the oldest of {CONNECTIONS} connections that have said nothing yet")

        def open_ones():
            return sum(self.daemon.metric(f'reachd_connections{{socket="{s}"}}') for s in ("ingest", "publish", "query"))
        wait_until(lambda: open_ones() < 20, 10, f"they are gone again ({open_ones()} left)")
        code, said, _ = self.reachctl("status", key="desk")
        check(code == 0, f"and there is room for friends: {code} {said}")

    def case_strangers_come_and_go(self):
        """Strangers without a key who connect as fast as they are cut off, while a friend wants to come in."""
        stop = multiprocessing.Event()
        strangers = multiprocessing.Process(target=keep_connecting, args=(self.daemon.query, CONNECTIONS + 10, stop))
        before = self.counted("too_many_connections")
        strangers.start()
        try:
            self.expect_counted("too_many_connections", before, CONNECTIONS)
            for _ in range(5):
                code, said, _ = self.reachctl("status", key="desk")
                check(code == 0, f"a friend comes in among strangers: {code} {said[:200]}")
        finally:
            stop.set()
            strangers.join(10)

    def case_configuration_without_keys(self):
        """That keys are no longer named waits for the restart, as the log says: nobody is let in by it, nor shut out."""
        config = pathlib.Path(self.daemon.config)
        text = config.read_text()
        config.write_text(re.sub(r"^(key_file|allowed_keys) *=.*\n", "", text, flags=re.MULTILINE))
        self.reload("take effect at the next restart")
        code, said, _ = self.reachctl("status", key="desk")
        check(code == 0, f"who had a key is still let in: {code} {said[:200]}")
        check(self.reachctl("status", key="stranger")[0] == 69, "a stranger is not")
        config.write_text(text)
        self.reload("keys are allowed")

    def case_keys_come_and_go(self):
        """SIGHUP lets a key in, a bad file changes nothing, and who lost his key is cut off."""
        check(self.reachctl("status", key="guest")[0] == 69, "the guest is not let in yet")
        self.allow("guest")
        self.reload("5 keys are allowed")
        check(self.reachctl("status", key="guest")[0] == 0, "the guest is let in")
        with open(f"{self.directory}/allowed/bad.pub", "w") as bad:
            bad.write('name = "bad"\nrole = "chef"\npublic_key = "x"\n')
        self.reload("the old one stays in force")
        self.expect_log(r'allowed/bad.pub:2:8: role = "chef" is none of the choices')
        os.remove(f"{self.directory}/allowed/bad.pub")
        check(self.reachctl("status", key="guest")[0] == 0, "a bad file changes nothing")

        before = self.counted("key_removed")
        listener = self.visit(zmq.SUB, self.daemon.publish, "guest", zmq.EVENT_DISCONNECTED)
        asker = self.visit(zmq.DEALER, self.daemon.query, "guest", zmq.EVENT_DISCONNECTED)
        listener.socket.subscribe(b"system/")
        asker.socket.send(PING)
        check(listener.hears(3) and asker.hears(3), "the guest listens and asks")
        os.remove(f"{self.directory}/allowed/guest.pub")
        self.reload("4 keys are allowed")
        check(listener.saw(3), "the guest's stream is cut")
        asker.socket.recv()
        asker.socket.send(PING)
        check(asker.saw(3), "the guest's next question is not answered but ends the connection")
        check(not asker.hears(0.3), "no answer")
        self.expect_counted("key_removed", before, 2)
        for visitor in (listener, asker):
            visitor.close()


def subscribe_to_a_million(port, key, server):
    visitor = Visitor(zmq.XSUB, port, key, server)
    visitor.socket.sndhwm = 0
    until = time.monotonic() + 10  # cut off again and again, it does not get far
    for i in range(1_000_000):
        visitor.socket.send(b"\x01topic-%d-of-somebody-who-wants-everything" % i)
        if time.monotonic() > until:
            break
    while time.monotonic() < until:
        time.sleep(0.1)
    visitor.close()


def connect_ten_thousand(ports):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = min(10_000, most - 100)
    kept = []
    for i in range(wanted):
        one = socket.socket()
        one.connect(("127.0.0.1", ports[i % 3]))
        kept.append(one)
    time.sleep(0.5)


def keep_connecting(port, at_once, stop):
    dies_with_us()
    kept = []
    while not stop.is_set():
        while len(kept) < at_once:
            one = socket.create_connection(("127.0.0.1", port))
            one.setblocking(False)
            kept.append(one)
        for one in list(kept):
            try:
                over = one.recv(100) == b""
            except BlockingIOError:
                continue
            except OSError:
                over = True
            if over:
                one.close()
                kept.remove(one)
        time.sleep(0.01)


def run(body, *arguments):
    """In a process of its own, so that the viewer's clock is not ours."""
    process = multiprocessing.Process(target=lambda: (dies_with_us(), body(*arguments)))
    process.start()
    process.join(60 * slowdown)
    if process.exitcode is None:
        process.kill()
    check(process.exitcode == 0, f"{body.__name__} went through ({process.exitcode})")


def check(holds, what):
    if not holds:
        raise Failed(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reachd")
    parser.add_argument("reachctl")
    parser.add_argument("case", nargs="*")
    options = parser.parse_args()
    cases = options.case or [name[5:] for name in Test.__dict__ if name.startswith("case_")]
    multiprocessing.set_start_method("fork")
    failed = []
    with tempfile.TemporaryDirectory() as directory:
        test = Test(types.SimpleNamespace(reachd=options.reachd, reachctl=options.reachctl), directory)
        gaps, stop = multiprocessing.Array("d", [0.0, 0.0]), multiprocessing.Value("b", 0)
        viewer = multiprocessing.Process(target=look_on, args=(test.daemon.publish, test.daemon.query, test.key("desk"),
                                                               test.server, gaps, stop))
        viewer.start()
        time.sleep(1.2)
        for name in cases:
            gaps[0] = gaps[1] = 0
            rss, began = test.rss_mib(), time.monotonic()
            try:
                check(test.daemon.process.poll() is None, f"reachd has ended with {test.daemon.process.poll()}")
                getattr(test, f"case_{name}")()
                growth = test.rss_mib() - rss
                check(growth < GROWTH_MOST_MIB, f"resident memory grew by {growth:.1f} MiB")
                check(test.daemon.process.poll() is None and viewer.is_alive(), "reachd and the viewer live")
                check(max(gaps) < GAP_MOST_S, f"the viewer's stream stopped for {gaps[0]:.2f} s, answers for {gaps[1]:.2f} s")
                result = "good"
            except Exception as problem:  # every case is run, and each says what it found
                result = f"FAILED: {type(problem).__name__}: {problem}"
                failed.append(name)
            print(f"{name:<28} {time.monotonic() - began:5.1f} s  memory {rss:6.1f} → {test.rss_mib():6.1f} MiB  "
                  f"pulse pause {gaps[0]:.2f} s  answer {gaps[1] * 1000:4.0f} ms  {result}", flush=True)
        stop.value = 1
        viewer.join(5)
        code = test.daemon.stop()
        if code != 0:
            failed.append(f"reachd ended with {code}")
        if failed:
            print(test.daemon.stderr()[-4000:])
    if failed:
        print("failed:", ", ".join(failed))
        sys.exit(1)


if __name__ == "__main__":
    main()
