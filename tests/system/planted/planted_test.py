#!/usr/bin/env python3
"""Nobody's number or name leaves the adapters: planted ones are searched for in all that does.

    planted_test.py REACHD REACHCTL WALLBOARD ASTERISK_ADAPTER QUEUELOG_ADAPTER

A recorded manager stream and a queue_log of a real Asterisk get people of our own: callers' numbers and names, agents'
names, interfaces and extensions. They go through the real adapters, reachd, the wallboard and reachctl, everything with
--log-level debug. Then all that came out is searched: log lines, spool, event log, snapshots, exports, metrics, what
was published, the web API. The search is tried first on what went in, and every outlet must show one of the calls, or the
test would prove nothing.
"""
import gzip
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import zmq

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "chaos"))
from processes import Failed, dies_with_us, free_ports, slowdown, wait_until  # noqa: E402

reachd, reachctl, wallboard, ami_adapter, log_adapter = (os.path.realpath(path) for path in sys.argv[1:6])
recording = HERE.parents[1] / "adapters" / "recordings" / "transfers"

# What stands in the recording: whom we make of it.
PLANTED = {
    r"\+49896(\d\d)": r"+4915777123\1",                # callers' numbers
    r"\bKunde\b": "Xaver Plantmann",                   # CallerIDName
    r"\bMia Nolte\b": "Yolanda Geheimnis",             # agents
    r"\bNils Ott\b": "Quirin Verborgen",
    r"(?<![\d.\-])3001(?![\d.])": "47118",             # their extensions, and so their interfaces
    r"(?<![\d.\-])3002(?![\d.])": "47119",
}
EXTENSION = "47118"
NUMBERS = ["+491577712300", "+491577712301", "+491577712302", "+491577712311"]
CALLED_BACK = ["+491577712377", "+491577712388", "+491577712399"]  # numbers that the PBX or an agent dials
COMPANY = "0401234567"
PEOPLE = ["Plantmann", "Xaver", "Yolanda", "Geheimnis", "Quirin", "Verborgen", "47118", "47119"]


def needles():
    """Each text in the forms in which it could be found again; also as a digest that needs no key."""
    for text in NUMBERS + CALLED_BACK + PEOPLE:
        plain = text.removeprefix("+49")  # what all spellings of a number have in common
        yield text, plain.encode()
        yield text + " in UTF-16", plain.encode("utf-16-le")
        yield text + " in hex", plain.encode().hex().encode()
        for form in (text, text.lstrip("+"), text.replace("+49", "0"), text.replace("+", "00")):
            for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
                yield f"{text} as {digest.__name__}", digest(form.encode()).hexdigest()[:16].encode()


def found_in(content):
    content = content.lower()
    # 47118 alone may be part of a longer number, such as a fraction of a second.
    return [name for name, needle in needles()
            if re.search(rb"(?<![0-9a-f])" + re.escape(needle.lower()) + rb"(?![0-9a-f])" if needle.isdigit()
                         and len(needle) < 8 else re.escape(needle.lower()), content)]


def plant(text):
    for pattern, instead in PLANTED.items():
        text = re.sub(pattern, instead, text)
    return text


def planted_ami():
    text = plant(gzip.decompress(pathlib.Path(f"{recording}.ami.gz").read_bytes()).decode())
    # A call is passed on to an agent's own extension.
    text, count = re.subn(r"(Event: BlindTransfer\r?\n(?:[^\r\n]+\r?\n)*?Extension: )\d+", rf"\g<1>{EXTENSION}", text)
    if count == 0:
        raise Failed("the recording has no blind transfer")
    return text + "".join(calls_with_numbers_as_extensions(max(map(float, re.findall(r"Timestamp: ([\d.]+)", text)))))


def calls_with_numbers_as_extensions(at):
    """Customers who are called back (Originate Channel: Local/NUMBER@...), one who is turned away so, one whose number
    comes in two spellings, an agent who dials out and ends up in a queue; and one who dials the company's number."""
    back, away, out = (number.replace("+49", "0") for number in CALLED_BACK)
    unknown, dials = "<unknown>", "4 (Ring)"
    calls = ((f"Local/{back}@callback-1;1", "0", back, unknown, back, "Join"),
             (f"Local/{back}@callback-2;2", dials, back, COMPANY, unknown, "Join"),
             (f"Local/{away}@callback-3;1", "0", away, unknown, away, "FULL"),
             ("PJSIP/trunk-4", dials, NUMBERS[0], NUMBERS[0].replace("+49", "0"), unknown, "Join"),
             (f"PJSIP/{EXTENSION}-5", dials, out, EXTENSION, unknown, "Join"),
             ("PJSIP/trunk-6", dials, COMPANY, NUMBERS[1], unknown, "Join"))
    for number, (channel, state, exten, caller, connected, comes) in enumerate(calls):
        fields = (f"Timestamp: {at + 10:.6f}\r\nChannel: {channel}\r\nChannelState: {state[0]}\r\nContext: callback\r\n"
                  f"CallerIDNum: {caller}\r\nConnectedLineNum: {connected}\r\nExten: {exten}\r\n"
                  f"Uniqueid: planted-1.{number}\r\nLinkedid: planted-1.{number}\r\n")
        yield f"Event: Newchannel\r\n{fields}\r\n"
        yield f"Event: Newexten\r\n{fields}Extension: {exten}\r\nApplication: Queue\r\nAppData: target\r\n\r\n"
        yield (f"Event: QueueCallerJoin\r\n{fields}Queue: target\r\n\r\n" if comes == "Join" else
               f"Event: VarSet\r\n{fields}Variable: QUEUESTATUS\r\nValue: {comes}\r\n\r\n")


def planted_queue_log():
    lines = plant(pathlib.Path(f"{recording}.queue_log").read_text()).replace("BLINDTRANSFER|60|",
                                                                             f"BLINDTRANSFER|{EXTENSION}|")
    shift = int(time.time()) - max(int(line.split("|")[0]) for line in lines.splitlines())
    lines = re.sub(r"(?m)^\d+", lambda time_: str(int(time_[0]) + shift), lines)
    now = int(time.time())
    # Where names are not configured the log holds interfaces.
    return lines + (f"{now}|NONE|target|PJSIP/47118|ADDMEMBER|\n{now}|plain.1|target|NONE|ENTERQUEUE||{NUMBERS[0]}|1\n"
                    f"{now}|plain.1|target|PJSIP/47118|CONNECT|0|plain.2|0\n")


class Test:
    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.out = {}  # name of an outlet: its bytes
        self.ingest, self.publish, self.query, self.metrics, self.web = free_ports(5)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start(self, name, *words):
        out = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   cwd=self.folder, preexec_fn=dies_with_us)
        self.processes.append((name, process))
        return process

    def run(self, name, *words, stdin=None):
        """A program to its end; what it says is an outlet."""
        done = subprocess.run([str(w) for w in words], input=stdin, capture_output=True, cwd=self.folder, timeout=60 * slowdown,
                              check=False)
        self.out[name] = done.stdout
        self.out[f"{name}: log lines"] = done.stderr
        if done.returncode != 0:
            raise Failed(f"{name} ended with {done.returncode}: {done.stderr.decode()[-600:]}")
        return done.stdout

    def ctl(self, *words):
        return self.run("reachctl " + " ".join(words), reachctl, "--log-level", "debug", "--config", "reachd.toml",
                        *words)

    def get(self, port, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10 * slowdown) as answer:
            content = answer.read()
        self.out[f"GET {path}"] = content
        return content

    def keep_files(self, name, folder):
        """Every file of `folder`, as it is now."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        if not files:
            raise Failed(f"{name}: there is no file in {folder}")
        self.out[name] = b"".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)

    def configurations(self):
        self.write("reachd.toml", f'''
            [endpoints]
            ingest  = "tcp://127.0.0.1:{self.ingest}"
            publish = "tcp://127.0.0.1:{self.publish}"
            query   = "tcp://127.0.0.1:{self.query}"
            metrics = "http://127.0.0.1:{self.metrics}"
            [event_log]
            directory = "{self.folder}/events"
            snapshot_every = "1MiB"
            [[segment]]
            id     = "everyone"
            queues = ["target", "consulting"]
            [[service]]
            id        = "phone"
            medium    = "call"
            threshold = "1s"
            short_abandon = "0s"
            [[contract]]
            id       = "promise"
            segments = ["everyone"]
            open     = ["Mon-Sun 00:00-24:00"]
              [[contract.objective]]
              service = "phone"
              figure  = "service_level"
              target  = 0.99
              window  = "30m"
              min_samples = 1
            ''')
        self.write("key", "a key of thirty-two secret bytes, or more\n")
        self.write("queuelog.toml", f'''
            source   = "pbx2"
            endpoint = "tcp://127.0.0.1:{self.ingest}"
            file     = "{self.folder}/in/queue_log"
            pseudonym_key_file = "{self.folder}/key"
            spool_directory    = "{self.folder}/spool"
            ''')
        self.write("asterisk.toml", f'source = "pbx1"\npseudonym_key_file = "{self.folder}/key"\n'
                                    'arrival_contexts = ["callback"]\n'
                                    '[pbx]\nsecret_file = "key"\n')

    def adapters(self):
        """Both adapters before the daemon is there: what they tell waits in the spool, and is looked at."""
        self.start("queuelog", log_adapter, "--config", "queuelog.toml", "--log-level", "debug")
        spool = self.folder / "spool"
        wait_until(lambda: any(b"plain.1" in path.read_bytes() for path in spool.rglob("*") if path.is_file()), 20,
                   "the queue_log's events are in the spool")
        self.keep_files("spool", spool)
        return self.run("asterisk adapter", ami_adapter, "--config", "asterisk.toml", "--from", "in/ami.txt", "--to",
                        "-", "--log-level", "debug")

    def through_the_daemon(self, events):
        self.start("reachd", reachd, "--config", "reachd.toml", "--log-level", "debug")
        self.start("wallboard", wallboard, "--listen", f"127.0.0.1:{self.web}", "--publish",
                   f"tcp://127.0.0.1:{self.publish}", "--query", f"tcp://127.0.0.1:{self.query}", "--log-level",
                   "debug")
        published = zmq.Context.instance().socket(zmq.SUB)
        published.linger = 0
        published.connect(f"tcp://127.0.0.1:{self.publish}")
        published.subscribe(b"")
        wait_until(lambda: self.answers(self.metrics, "/readyz"), 20, "reachd is ready")
        self.run("reachctl send", reachctl, "--log-level", "debug", "--endpoint", f"tcp://127.0.0.1:{self.ingest}",
                 "send", "--source", "pbx1", "--rebase", stdin=events)

        def arrived():
            status = json.loads(self.ctl("status", "--json"))
            sources = {source["id"] for source in status["sources"]}
            return sources >= {"pbx1", "pbx2"} and status["segments"][0]["alerts"]
        wait_until(arrived, 30, "both sources have told, and an alert fired")
        wait_until(lambda: self.answers(self.web, "/api/v1/alerts"), 20, "the wallboard hears reachd")

        for words in (["alerts", "--all", "--json"], ["staffing", "--json"], ["status"], ["alerts", "--all"]):
            self.ctl(*words)
        for path in ("state", "alerts", "staffing", "board", "history?segment=everyone"):
            self.get(self.web, f"/api/v1/{path}")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/stream", timeout=10 * slowdown) as stream:
            self.out["GET /api/v1/stream"] = stream.read1(1 << 20) + stream.read1(1 << 20)
        for path in ("/metrics", "/healthz", "/readyz"):
            self.get(self.metrics, path)
        frames = []
        while published.poll(500) and len(frames) < 1000:
            frames += published.recv_multipart()
        published.close()
        self.out["published messages"] = b"\n".join(frames)

    def fill_the_log(self):
        """So many other calls that reachd makes a snapshot, with the planted ones in it."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = "".join(f'{{"time":"{at}","contact":"other-{n}","{event}\n'
                        for n in range(20_000) for event in ('offered":{"queue":"target"}}', 'abandoned":{}}'))
        self.run("reachctl send of others", reachctl, "--endpoint", f"tcp://127.0.0.1:{self.ingest}", "send",
                 "--source", "others", stdin=lines.encode())
        wait_until(lambda: list((self.folder / "events").glob("*.snapshot")), 30, "reachd makes a snapshot")

    def answers(self, port, path):
        try:
            return self.get(port, path)
        except OSError:
            return None

    def the_end(self):
        for name, process in reversed(self.processes):
            process.terminate()
            code = process.wait(30 * slowdown)
            if code != 0:
                raise Failed(f"{name} ended with {code}")
        for name, _ in self.processes:
            self.out[f"log lines of {name}"] = (self.folder / f"{name}.log").read_bytes()
        self.keep_files("event log and snapshots", self.folder / "events")
        self.out["snapshots"] = b"".join(path.read_bytes() for path in (self.folder / "events").glob("*.snapshot"))
        self.ctl("log", "export")
        self.ctl("log", "verify")
        self.run("replay of the log", reachctl, "replay", "--json", "--config", "reachd.toml", "--format", "log",
                 self.folder / "events")

    def judge(self):
        problems = [f"{name}: {', '.join(found)}" for name, content in sorted(self.out.items())
                    if (found := found_in(content))]
        # The search sees what it should: calls and pseudonyms are in all that tells of calls.
        shown = {"asterisk adapter": rb"p:[0-9a-f]{16}.*a:[0-9a-f]{12}.*\"dialled\":\"" + COMPANY.encode() + b"\"",
                 "spool": rb"p:[0-9a-f]{16}.*a:[0-9a-f]{12}",
                 "event log and snapshots": rb"p:[0-9a-f]{16}.*a:[0-9a-f]{12}",
                 "snapshots": rb"a:[0-9a-f]{12}",
                 "reachctl log export": rb"p:[0-9a-f]{16}.*a:[0-9a-f]{12}",
                 "reachctl alerts --all --json": rb"pbx[12]/", "GET /api/v1/alerts": rb"pbx[12]/",
                 "GET /api/v1/stream": rb"everyone", "GET /api/v1/state": rb"everyone",
                 "published messages": rb"everyone",
                 "GET /metrics": rb"pbx1", "log lines of reachd": rb"pbx2", "log lines of queuelog": rb"lines",
                 "asterisk adapter: log lines": rb"messages"}
        for name, pattern in shown.items():
            if not re.search(pattern, self.out.get(name, b""), re.DOTALL):
                problems.append(f"{name} shows no call, so the search proves nothing: {self.out.get(name, b'')[-300:]}")
        return problems


def main():
    with tempfile.TemporaryDirectory(prefix="reach-planted-") as name:
        test = Test(pathlib.Path(name))
        (test.folder / "in").mkdir()
        for file, text in (("ami.txt", planted_ami()), ("queue_log", planted_queue_log())):
            (test.folder / "in" / file).write_text(text)
            seen = found_in((test.folder / "in" / file).read_bytes())
            missing = [text for text in NUMBERS + CALLED_BACK + PEOPLE if text not in seen
                       and not (file == "queue_log" and text in ("Plantmann", "Xaver", "47119", *CALLED_BACK))]
            if missing:
                raise Failed(f"the search does not find in {file} what was planted there: {missing}")
        test.configurations()
        try:
            test.through_the_daemon(test.adapters())
            test.fill_the_log()
            test.the_end()
        except Failed:
            for log in test.folder.glob("*.log"):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}")
            raise
        finally:
            for _, process in test.processes:
                process.kill()
        problems = test.judge()
        print(f"{len(test.out)} outlets, {sum(map(len, test.out.values()))} bytes searched")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        print(failure)
        sys.exit(1)
