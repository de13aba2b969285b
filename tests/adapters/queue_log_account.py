"""Two accounts of the same minutes: Asterisk's own queue_log, and an adapter's JSON lines.

Both become the same figures per queue, so that they can be compared: offered, answered, abandoned, forwarded by
reason, ring_no_answer, transferred_in, and the waits of the answered.
"""
import json
from collections import defaultdict
from datetime import datetime


def empty():
    return {"offered": 0, "answered": 0, "abandoned": 0, "forwarded": 0, "ring_no_answer": 0, "ended": 0,
            "transferred_in": 0, "rejected": 0, "unknown": 0, "reasons": defaultdict(int), "waits": []}


REASONS = {"EXITWITHTIMEOUT": "timeout", "EXITEMPTY": "empty", "EXITWITHKEY": "key", "WITHDRAW": "redirected",
           "SYSCOMPAT": "other"}


def of_queue_log(path, since=0, until=float("inf"), only=None):
    """`only`: a set of call ids to count; None: all."""
    queues = defaultdict(empty)
    entered, answered_before = {}, set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            field = line.rstrip("\n").split("|")
            if len(field) < 5:
                continue
            at, call, queue, event = float(field[0]), field[1], field[2], field[4]
            if not since <= at <= until or (only is not None and call not in only):
                continue
            q = queues[queue]
            if event == "ENTERQUEUE":
                q["offered"] += 1
                q["transferred_in"] += call in answered_before
                entered[call, queue] = at
            elif event == "CONNECT":
                q["answered"] += 1
                answered_before.add(call)
                if (call, queue) in entered:  # a masquerade changes the id
                    q["waits"].append(at - entered.pop((call, queue)))
            elif event == "ABANDON":
                q["abandoned"] += 1
            elif event in REASONS:
                q["forwarded"] += 1
                q["reasons"][REASONS[event]] += 1
            elif event == "RINGNOANSWER":
                q["ring_no_answer"] += 1
            elif event in ("COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER", "ATTENDEDTRANSFER"):
                q["ended"] += 1
    return {name: q for name, q in queues.items() if q["offered"]}


def seconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + (float("0." + fraction) if fraction else 0)


def of_json_lines(lines):
    """`lines`: an iterable of JSON lines. Returns the figures per queue and the number of lines that step back."""
    queues = defaultdict(empty)
    queue_of, entered, answered_before = {}, {}, set()
    last, steps_back = 0.0, 0
    for line in lines:
        event = json.loads(line)
        at = seconds(event["time"])
        steps_back += at < last - 1e-6
        last = max(last, at)
        contact = event.get("contact")
        if "offered" in event:
            queue_of[contact], entered[contact] = event["offered"]["queue"], at
            q = queues[queue_of[contact]]
            q["offered"] += 1
            q["transferred_in"] += contact in answered_before
        elif "rejected" in event:
            queues[event["rejected"]["queue"]]["rejected"] += 1
        elif contact in queue_of:
            q = queues[queue_of[contact]]
            if "answered" in event:
                q["answered"] += 1
                q["waits"].append(at - entered[contact])
                answered_before.add(contact)
            elif "abandoned" in event:
                q["abandoned"] += 1
            elif "forwarded" in event:
                q["forwarded"] += 1
                q["reasons"][event["forwarded"]["reason"]] += 1
            elif "ringNoAnswer" in event:
                q["ring_no_answer"] += 1
            elif "ended" in event:
                q["ended"] += 1
            elif "outcomeUnknown" in event:
                q["unknown"] += 1
    return {name: q for name, q in queues.items() if q["offered"] or q["rejected"]}, steps_back


def differences(log, seen, exact_reasons=True):
    """Sentences, one per figure that differs; empty if the accounts agree."""
    found = []
    for queue in sorted(set(log) | {name for name, q in seen.items() if q["offered"]}):
        a, b = log.get(queue, empty()), seen.get(queue, empty())
        for figure in ("offered", "answered", "abandoned", "forwarded", "ring_no_answer", "transferred_in"):
            if a[figure] != b[figure]:
                found.append(f"{queue}: {figure} is {a[figure]} in queue_log, {b[figure]} in the events")
        if exact_reasons and dict(a["reasons"]) != dict(b["reasons"]):
            found.append(f"{queue}: forwarded is {dict(a['reasons'])} in queue_log, {dict(b['reasons'])} in the events")
        if a["waits"] and b["waits"] and len(a["waits"]) == len(b["waits"]):
            mean = [sum(w) / len(w) for w in (a["waits"], b["waits"])]
            # Whole seconds on one side: the difference of two floored times is off by less than a second, and by
            # nothing in the mean; with few calls chance stays.
            if abs(mean[0] - mean[1]) > max(0.1, 1.3 / len(a["waits"]) ** 0.5):
                found.append(f"{queue}: mean wait is {mean[0]:.3f} s in queue_log, {mean[1]:.3f} s in the events")
    return found
