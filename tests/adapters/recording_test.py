#!/usr/bin/env python3
"""Recorded manager streams and queue_logs through the adapters and through the core, against queue_log itself.

    recording_test.py --asterisk PROGRAM --queuelog PROGRAM --reachctl PROGRAM FOLDER

FOLDER holds ami.txt and queue_log, or NAME.ami.gz and NAME.queue_log of several recordings, with NAME.expect where the
adapter knows better than the log: lines "QUEUE FIGURE LOG AMI QUEUELOG" (how many there are in the
log, and how many each adapter must find), with a comment that says why.
Exit codes: 0 good, 1 failed, 77 no recording there (the test is skipped).
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from queue_log_account import differences, of_json_lines, of_queue_log  # noqa: E402

parser = argparse.ArgumentParser()
for name in ("asterisk", "queuelog", "reachctl"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("folder", type=pathlib.Path)
options = parser.parse_args()
problems = []


def run(*words, stdin=None):
    return subprocess.run([str(w) for w in words], input=stdin, stdout=subprocess.PIPE, check=True).stdout.decode()


def expected(path):
    """{(queue, figure): {account: number}}"""
    known = {}
    if path.exists():
        for line in path.read_text().splitlines():
            words = line.split("#")[0].split()
            if words:
                known[words[0], words[1]] = dict(zip(("log", "asterisk", "queuelog"), map(int, words[2:5])))
    return known


def through_the_core(lines, queues, folder):
    config = folder / "replay.toml"
    config.write_text('[[service]]\nid = "phone"\nmedium = "call"\nthreshold = "5s"\nshort_abandon = "2s"\n' + "".join(
        f'[[segment]]\nid = "{q}"\nqueues = ["{q}"]\n' for q in queues))
    (folder / "events.jsonl").write_text(lines)
    out = run(options.reachctl, "--json", "replay", "--config", config, "--every", "month", folder / "events.jsonl")
    status = json.loads(out.splitlines()[-1])
    figures = {q["id"].split("/")[1]: q["figures"] for s in status["segments"] for q in s["queues"]}
    return figures, status["sources"][0]


def check(name, ami, log_path, known):
    log = of_queue_log(log_path)
    for (queue, figure), numbers in known.items():
        got = log.get(queue, {}).get(figure, 0)
        if got != numbers["log"]:
            problems.append(f"{name}: {queue}: {figure} is {got} in queue_log, expected {numbers['log']}")
    with tempfile.TemporaryDirectory() as folder:
        said = {"asterisk": run(options.asterisk, "--from", "-", "--to", "-", "--source", "pbx", stdin=ami),
                "queuelog": run(options.queuelog, "--from", log_path, "--to", "-", "--source", "pbx")}
        for adapter, text in said.items():
            seen, steps_back = of_json_lines(text.splitlines())
            if steps_back:
                problems.append(f"{name}: {adapter}: {steps_back} lines step back in time")
            account = {q: dict(f) for q, f in log.items()}
            for (queue, figure), numbers in known.items():
                if figure != "rejected":
                    account[queue][figure] = numbers[adapter]
                elif seen.get(queue, {}).get("rejected", 0) != numbers[adapter]:
                    problems.append(f"{name}: {adapter}: {queue}: {numbers[adapter]} were turned away, the events have "
                                    f"{seen.get(queue, {}).get('rejected', 0)}")
            problems.extend(f"{name}: {adapter}: {line}"
                            for line in differences(account, seen, exact_reasons=not known))
            figures, source = through_the_core(text, account, pathlib.Path(folder))
            for queue, f in account.items():
                rejected = seen[queue]["rejected"]
                for figure in ("offered", "answered", "abandoned", "forwarded", "ring_no_answer"):
                    want = f[figure] + (rejected if figure in ("offered", "forwarded") else 0)
                    if figures[queue][figure] != want:
                        problems.append(f"{name}: {adapter}, through the core: {queue}: {figure} is "
                                        f"{figures[queue][figure]}, expected {want}")
            if source["contradictions"] or source["unknown_contacts"]:
                problems.append(f"{name}: {adapter}, through the core: {source['contradictions']} contradictions, "
                                f"{source['unknown_contacts']} events of unknown contacts")
    print(f"{name}: {sum(q['offered'] for q in log.values())} calls in {len(log)} queues")


recordings = 0
if (options.folder / "ami.txt").exists():
    recordings += 1
    check("asterisk-22", (options.folder / "ami.txt").read_bytes(), options.folder / "queue_log", {})
for path in sorted(options.folder.glob("*.ami.gz")):
    recordings += 1
    base = str(path)[:-len(".ami.gz")]
    check(pathlib.Path(base).name, gzip.decompress(path.read_bytes()), pathlib.Path(base + ".queue_log"),
          expected(pathlib.Path(base + ".expect")))
if not recordings:
    print(f"skipped: no recording in {options.folder}")
    sys.exit(77)
print("\n".join(problems))
sys.exit(1 if problems else 0)
