"""What an undisturbed run gives, and whether a disturbed one gave the same.

The rule. Figures and alerts follow from the events' own times and from deadlines. So every figure of every segment is
equal, to the last digit, and so is every alert: its id, kind, subject, evidence, and the instants since which it was
pending, fired and resolved, to the nanosecond; and the order in which alerts fire. The time of its last revision
(changed) is that of publication and may be later; what it says then besides (value, samples, summary) may lack events
that were still with their adapter.
"""
import datetime
import json
import subprocess

from processes import Failed

MAY_LAG = ("changed", "value", "samples", "summary")


def seconds_of(rfc3339):
    text = rfc3339.rstrip("Z")
    whole, _, fraction = text.partition(".")
    begin = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return begin + (float("0." + fraction) if fraction else 0.0)


class Expected:
    """From the generator's own account, and from a replay of its events on their own clock."""

    def __init__(self, binaries, config, plan):
        made = subprocess.run([binaries.reach_load, *plan, "--print", "figures"], capture_output=True, check=True)
        self.account = json.loads(made.stdout)
        # All events where that is quick, else those that lead to alerts.
        self.complete = self.account["events"] <= 1_500_000
        only = [] if self.complete else ["--only", "incidents"]
        # The clock runs on to the end, as it did in the run: what time alone resolves after the last incident, too.
        begin, length = (float(plan[plan.index(option) + 1]) for option in ("--start", "--seconds"))
        end = datetime.datetime.fromtimestamp(begin / 1e9 + length + 1, datetime.timezone.utc)
        with subprocess.Popen([binaries.reach_load, *plan, "--print", "events", *only], stdout=subprocess.PIPE) as lines:
            replayed = subprocess.run([binaries.reachctl, "--json", "--config", config, "replay", "--every", "day",
                                       "--until", end.strftime("%Y-%m-%dT%H:%M:%SZ"), "--source", "incidents", "-"],
                                      stdin=lines.stdout, capture_output=True, check=True)
        self.said, self.figures = read_replay(replayed.stdout)
        self.alerts = last_revisions(self.said)
        told = [(a["segment"], a["objective"]) for a in self.account["alerts"]]
        if told != fired_in_order(self.said):
            raise Failed("the replay fires other alerts than the generator's account says")


def read_replay(text):
    """Every revision of every alert in order, and {segment: figures}."""
    said, figures = [], None
    for line in text.splitlines():
        one = json.loads(line)
        if "alert" in one:
            said.append(one["alert"])
        elif figures is not None:
            raise Failed("the run crossed midnight: it cannot be compared")
        else:
            figures = {s["id"]: s["figures"] for s in one["segments"]}
    return said, figures or {}


def last_revisions(said):
    last = {}
    for alert in said:
        last[alert["id"]] = alert
    return {(a["segment"], a["objective"]): a for a in last.values()}


def fired_in_order(said):
    return [(a["segment"], a["objective"]) for a in said 
            if a["reason"] == "fired" and a["objective"] != "lost" and a["kind"] != "log_failed"]


def compare_figures(expected, status):
    """Problems, a sentence each."""
    problems = []
    figures = {s["id"]: s["figures"] for s in status["segments"]}
    for segment, account in expected.account["segments"].items():
        for name, value in account.items():
            if figures[segment][name] != value:
                problems.append(f"{segment}: {name} is {figures[segment][name]}, the account says {value}")
        if expected.complete:
            for name, value in expected.figures[segment].items():
                if figures[segment][name] != value:
                    problems.append(f"{segment}: {name} is {figures[segment][name]}, undisturbed {value}")
    events = sum(int(s["events"]) for s in status["sources"])
    if events != expected.account["events"]:
        problems.append(f"{events} events counted, {expected.account['events']} sent")
    for source in status["sources"]:
        for name in ("events_lost", "unknown_contacts", "contradictions"):
            if int(source[name]) != 0:
                problems.append(f"source {source['id']}: {name} is {source[name]}")
    return problems


def compare_alerts(expected, alerts):
    problems = []
    found = {}
    for alert in alerts:
        if alert["kind"] == "log_failed":  # it says that its disk failed, which it did
            continue
        key = (alert["segment"], alert["objective"])
        if key in found:
            problems.append(f"{key}: alerted twice, {found[key]['fired']} and {alert['fired']}")
        found[key] = alert
    for key, want in expected.alerts.items():
        have = found.pop(key, None)
        if have is None:
            problems.append(f"{key}: no alert")
            continue
        problems += [f"{key}: {name} is {have[name]}, undisturbed {value}" for name, value in want.items()
                     if have[name] != value and name not in MAY_LAG]
    problems += [f"{key}: an alert that the undisturbed run has not: {alert['summary']}" for key, alert in found.items()]
    return problems


def compare_log(expected, daemon, status, alerts):
    """The log alone, read at once by reachctl, gives what the daemon says that was killed and recovered, and its alerts
    fired in the order of `expected` (None: not compared)."""
    said, figures = read_replay(daemon.reachctl("replay", "--format", "log", "--every", "day", daemon.log_directory,
                                                timeout=600))
    problems = []
    if expected and fired_in_order(said) != fired_in_order(expected.said):
        problems.append("alerts fired in another order")
    for segment in status["segments"]:
        for name, value in segment["figures"].items():
            if figures[segment["id"]][name] != value:
                problems.append(f"{segment['id']}: {name} is {value}, by its log {figures[segment['id']][name]}")
    last = {a["id"]: a for a in said}
    for alert in alerts:
        if last.pop(alert["id"], None) != alert:
            problems.append(f"alert {alert['id']} of {alert['segment']} is not that of the log")
    problems += [f"alert {id} of {a['segment']} is in the log and not in the daemon" for id, a in last.items()]
    return problems
