#!/usr/bin/env python3
"""Replays a month of a real call centre and compares with figures computed independently.

    bank_test.py REACHCTL DATA_FOLDER MONTH

Exit code 77: the data is not there (the test is skipped).
"""
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import timedelta, timezone

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "data"))
import bank_to_jsonl  # noqa: E402

TYPES = ("PS", "NE", "NW", "PE", "IN", "TT")
THRESHOLD = timedelta(seconds=20)
POLICIES = {  # policy of the configuration: its ratio in the reference
    "ignored": "sl20_excl_short_abandons",
    "negative": "sl20_of_offered",
    "positive": "sl20_abandons_le20_as_met",
}

problems = []


def check(what, got, expected, tolerance=0):
    if got is None or abs(got - expected) > tolerance:
        problems.append(f"{what}: got {got}, expected {expected}")


def configuration(folder, policy):
    path = folder / f"{policy}.toml"
    path.write_text(
        'timezone = "Asia/Jerusalem"\n'
        f'[[segment]]\nid = "bank"\nqueues = {json.dumps(TYPES)}\n'
        '[[service]]\nid = "phone"\nmedium = "call"\nthreshold = "20s"\nshort_abandon = "0s"\n'
        f'abandons = "{policy}"\n'
    )
    return path


def replay(reachctl, config, lines, every):
    run = subprocess.run(
        [reachctl, "replay", "--json", "--config", config, "--every", every, lines],
        stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def add_up(statuses, figures_of):
    """Figures of several periods as one: calls that cross midnight are decided in the next month."""
    total = Counter()
    for status in statuses:
        figures = figures_of(status["segments"][0])
        if figures is None:
            continue
        for name in ("offered", "answered", "abandoned", "forwarded", "unknown", "met", "missed", "handled"):
            total[name] += figures[name] if name in figures else 0
        total["waits"] += (figures["asa_s"] or 0) * figures["answered"]
        total["handling"] += (figures["aht_s"] or 0) * figures["handled"]
    return total


def compare(where, total, reference, ratio):
    for name in ("offered", "answered", "abandoned"):
        check(f"{where} {name}", total[name], reference[name])
    check(f"{where} forwarded", total["forwarded"], 0)
    check(f"{where} service level", total["met"] / (total["met"] + total["missed"]), reference[ratio], 0.5000001e-6)
    check(f"{where} ASA", total["waits"] / total["answered"], reference["asa_s"], 0.0010001)
    check(f"{where} AHT", total["handling"] / total["handled"], reference["aht_all_s"], 0.0010001)


def queue(name):
    return lambda segment: next((q["figures"] for q in segment["queues"] if q["id"] == "file/" + name), None)


def compare_month(reachctl, folder, lines, reference):
    for policy, ratio in POLICIES.items():
        statuses = replay(reachctl, configuration(folder, policy), lines, "month")
        where = f"{policy}:"
        compare(f"{where} total", add_up(statuses, lambda segment: segment["figures"]), reference["total"], ratio)
        for kind in TYPES:
            if kind in reference["by_type"]:
                compare(f"{where} {kind}", add_up(statuses, queue(kind)), reference["by_type"][kind], ratio)
        if len(statuses) == 1:
            p90 = statuses[0]["segments"][0]["figures"]["wait_p90_s"]
            expected = reference["total"]["p90_wait_answered_s"]
            check(f"{where} p90 of the wait", p90, expected, 0.01 * expected)


def quarter(local):
    """The quarter of an hour of a wall clock time, as UTC text like the status has it."""
    begin = local.replace(minute=local.minute - local.minute % 15, second=0)
    return begin.replace(tzinfo=timezone(timedelta(hours=2))).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def compare_quarters(reachctl, folder, lines, month_file):
    """Each decision falls into the quarter in which it was made: a miss where the wait passed the threshold."""
    expected = {}

    def count(local, name):
        expected.setdefault(quarter(local), Counter())[name] += 1

    for call in bank_to_jsonl.calls(month_file):
        wait = timedelta(seconds=call.wait_s)
        count(call.arrival, "offered")
        count(call.arrival + wait, "answered" if call.answered else "abandoned")
        if wait > THRESHOLD:
            count(call.arrival + THRESHOLD, "missed")
        elif call.answered:
            count(call.arrival + wait, "met")
    statuses = replay(reachctl, configuration(folder, "ignored"), lines, "15m")
    previous = None
    for status in statuses:
        period, figures = status["period"], status["segments"][0]["figures"]
        if previous not in (None, period["from"]):
            problems.append(f"a quarter is missing between {previous} and {period['from']}")
        previous = period["to"]
        wanted = expected.pop(period["from"], Counter())
        for name in ("offered", "answered", "abandoned", "met", "missed"):
            check(f"quarter from {period['from']} {name}", figures[name], wanted[name])
    if expected:
        problems.append(f"{len(expected)} quarters are not in the output, the first is {min(expected)}")
    return len(statuses)


def main():
    reachctl, data, month = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    month_file = data / "bank-1999" / f"{month}.txt"
    if not month_file.exists():
        print(f"skipped: {month_file} is not there; the bank data is shared between projects and not part of this one")
        return 77
    reference = json.loads((data / "bank-1999" / f"reference_{month}.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines = folder / "events.jsonl"
        with open(lines, "w", encoding="utf-8") as out:
            for time, contact, event in bank_to_jsonl.events(month_file):
                out.write(json.dumps({"time": time.isoformat() + "+02:00", "contact": contact, **event}) + "\n")
        compare_month(reachctl, folder, lines, reference)
        quarters = compare_quarters(reachctl, folder, lines, month_file)
    for problem in problems[:30]:
        print(problem)
    if problems:
        print(f"{len(problems)} differences")
        return 1
    total = reference["total"]
    print(f"{month}: {total['offered']} calls agree under three policies, {quarters} quarters of an hour agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
