#!/usr/bin/env python3
"""Turns one month of the Technion "Anonymous Bank" data into event lines for `reachctl replay`.

    bank_to_jsonl.py october.txt > october.jsonl

A call is offered when it asks for an agent (q_start, or vru_exit where it went straight to one), answered or abandoned
q_time seconds later, and ended ser_time seconds after the answer. One queue per type. Times are the wall clock of Haifa
in 1999; the three months known lie in winter time (+02:00). Rows that are no calls (PHANTOM), that never asked for an
agent (HANG without q_start) or that lack a field are left out.
"""
import json
import sys
from datetime import datetime, timedelta


class Call:
    """One row: what a contact centre knows of one call. `wait_s` is whole seconds."""

    def __init__(self, row_number, fields):
        self.contact = f"r{row_number}"
        self.type = fields[4].strip()
        self.outcome = fields[12].strip()
        self.queued = fields[9].strip() != "0:00:00"
        day = datetime.strptime(fields[5].strip(), "%y%m%d")
        self.arrival = day + clock(fields[9] if self.queued else fields[7])
        self.wait_s = int(fields[11]) if self.queued else 0
        self.talk_s = int(fields[15])

    @property
    def answered(self):
        return self.outcome == "AGENT"


def clock(text):
    hours, minutes, seconds = (int(part) for part in text.strip().split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def calls(path):
    """The calls that asked for an agent, in the order of the file."""
    with open(path, encoding="latin-1") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) != 17 or len(fields[5].strip()) != 6 or not fields[5].strip().isdigit():
                continue
            if fields[12].strip() not in ("AGENT", "HANG"):
                continue
            call = Call(number, fields)
            if call.answered or call.queued:
                yield call


def events(path):
    """(time, event as a dictionary) of every call, in time order; of one instant in the order of the file."""
    all_events = []
    for call in calls(path):
        fate = call.arrival + timedelta(seconds=call.wait_s)
        all_events.append((call.arrival, call.contact, {"offered": {"queue": call.type}}))
        if call.answered:
            all_events.append((fate, call.contact, {"answered": {}}))
            all_events.append((fate + timedelta(seconds=call.talk_s), call.contact, {"ended": {}}))
        else:
            all_events.append((fate, call.contact, {"abandoned": {}}))
    all_events.sort(key=lambda event: event[0])
    return all_events


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for time, contact, event in events(sys.argv[1]):
        print(json.dumps({"time": time.isoformat() + "+02:00", "contact": contact, **event}, separators=(",", ":")))


if __name__ == "__main__":
    main()
