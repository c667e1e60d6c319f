"""Judges the sessions of scripts/monitor-hour.sh by the network's own log: usage: monitor-hour.py DIR; exit code 1 if one is wrong.

A session is right if its peer came in the time in which it is said to have come, and went in that in which it is said to have gone; what the
monitor could not see, since it lies in a gap of its own or between two looks, is told apart.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

# Seconds: the longest interval of a peer that is up (15 min / 60), its jitter of a fifth, and a dial that times out three times more.
INTERVAL = 15 * 1.2 + 4 * 2.0
# A peer that comes is found by its own schedule (4 h / 60) or by the next crawl, whichever is first.
FOUND = 30 + 30
# A peer that goes hangs up before, or comes to answer after, the moment that the log has.
SLACK = 1.0


def seconds(text):
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def stays(directory):
    """For each peer the times for which it was up, from the log; one that was up before has no beginning."""
    events = [json.loads(line) for line in (directory / "events.ndjson").open()]
    found, since = {}, {}
    for event in events:
        at, peer = event["at_ms"] / 1000, event["peer"]
        if event["event"] in ("entered", "up", "moved", "rotated"):
            # Also at another place, or as another id of the same host.
            since.setdefault(peer, at)
        elif event["event"] in ("down", "left"):
            found.setdefault(peer, []).append((since.pop(peer, None), at))
    for peer, at in since.items():
        found.setdefault(peer, []).append((at, None))
    return found, {event["peer"] for event in events}, {event["event"] for event in events}


def overlaps(gaps, begin, end):
    return any(low < end and begin < high for low, high in gaps)


def main():
    directory = Path(sys.argv[1])
    sessions = json.loads((directory / "sessions.json").read_text())["sessions"]
    gap_rows = [json.loads(line) for line in (directory / "gaps.ndjson").open()]
    gaps = [(seconds(gap["began_at"]), seconds(gap["ended_at"])) for gap in gap_rows]
    last = max(seconds(session["last_successful_dial"]) for session in sessions)
    truth, changed, kinds = stays(directory)
    wrong = {"invented": [], "came wrongly": [], "went wrongly": [], "joined": [], "missed": []}
    seen_from = min(seconds(session["created_at"]) for session in sessions)
    judged = 0
    told = {}
    for session in sessions:
        peer = session["peer"]
        told.setdefault(peer, []).append(session)
        if peer not in changed:
            # Up throughout: its session must not end.
            if session["state"] == "closed":
                wrong["went wrongly"].append(session)
            judged += 1
            continue
        first, seen = seconds(session["first_successful_dial"]), seconds(session["last_successful_dial"])
        of = [stay for stay in truth.get(peer, []) if (stay[0] or 0) - SLACK <= seen and first <= (stay[1] or last + 1) + SLACK]
        judged += 1
        if not of:
            wrong["invented"].append(session)
            continue
        came, went = of[0][0], of[-1][1]
        after, by = seconds(session["began_after"]), seconds(session["created_at"])
        if came is not None and came > by + SLACK or after is not None and (came is None or came < after - SLACK):
            wrong["came wrongly"].append(session)
        ended = seconds(session["ended_by"])
        if ended is not None and (went is None or not seen - SLACK <= went <= ended + SLACK):
            wrong["went wrongly"].append(session)
        for (_, gone), (back, _) in zip(of, of[1:]):
            if back - gone > INTERVAL and not overlaps(gaps, gone, back):
                wrong["joined"].append(session)
    missed = 0
    for peer, of in truth.items():
        for came, went in of:
            begin, end = max(came or seen_from, seen_from), min(went or last, last)
            if end <= begin or any(
                seconds(s["first_successful_dial"]) <= end + SLACK and begin <= seconds(s["last_successful_dial"]) + SLACK
                for s in told.get(peer, [])
            ):
                continue
            missed += 1
            if end - begin > FOUND and not overlaps(gaps, begin, end):
                wrong["missed"].append((peer, end - begin))
    print(f"{judged} sessions of {len(told)} peers; kinds of events: {', '.join(sorted(kinds))}")
    for gap, (low, high) in zip(gap_rows, gaps):
        print(f"gap: {gap['cause']}, {high - low:.1f} s")
    print(f"{missed} stays were not seen, {len(wrong['missed'])} of them longer than {FOUND} s beside all gaps")
    for name, found in wrong.items():
        print(f"{name}: {len(found)}")
        for one in found[:5]:
            print(f"    {one}")
    sys.exit(1 if any(wrong.values()) else 0)


main()
