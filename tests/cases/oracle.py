"""What rates must be, by plain replay of the history's lines: written by hand, from domain.md, beside the application.

Knows nothing of its tables but `history_lines`, and imports nothing of it. A line is a dict with subject_id, position,
at (aware), act and facts.
"""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

GIVING = ("assigned", "routed", "reassigned", "arbitrated")
ANSWERING = ("replied", "approved")
UNMEASURED = ("merged", "withdrawn")


def rates(lines: list[dict[str, Any]], *, begins: datetime, ends: datetime, now: datetime) -> dict[Any, dict[str, Any]]:
    """Return the figures by ("unit", id), ("topic", name), ("source", name) and ("whole",), each by its name.

    A rate is [met, all]. What nothing is known of is left out.
    """
    lives: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (line["subject_id"], line["position"])):
        lives[line["subject_id"]].append(line)
    found: dict[Any, dict[str, Any]] = {}
    for life in lives.values():
        first = life[0]["facts"]
        if first["source"] == "import":
            continue
        for unit, figure, met, at in (*_steps(life, now), *_end(life)):
            if not begins <= at < ends:
                continue
            for group in (("unit", unit), ("topic", first["topic"]), ("source", first["source"]), ("whole",)):
                figures = found.setdefault(group, {})
                if met is None:
                    figures[figure] = figures.get(figure, 0) + 1
                else:
                    rate = figures.setdefault(figure, [0, 0])
                    rate[0] += met
                    rate[1] += 1
    return found


def _steps(life, now):
    """Yield what was due: (unit, "accepted" or "answered", whether in time, when)."""
    if life[-1]["facts"]["state"] in UNMEASURED:
        return
    for place, line in enumerate(life):
        if line["act"] in GIVING:
            yield from _acceptance(line, life[place + 1 :], now)
    for owed in _answers_owed(life):
        yield from _answer(owed, now)


def _acceptance(given, after, now):
    left = next((line for line in after if line["facts"]["state"] != "assigned" or line["act"] in GIVING), None)
    waiting = [given, *after[: after.index(left) if left is not None else len(after)]]
    due = _moment(waiting[-1]["facts"]["due_at"])  # another calendar may have moved it
    accepted = left is not None and left["act"] == "accepted"
    if due > now or (left is not None and not accepted and left["at"] <= due):
        return
    yield given["facts"]["answerable"], "accepted", accepted and left["at"] <= due, due


def _answers_owed(life):
    """Yield, for each answer that was owed, the lines from which it was on until the next one was."""
    starts = [
        place
        for place, line in enumerate(life)
        if line["act"] in ("reopened", "plan_kept")
        or (line["act"] in GIVING and not any(one["act"] in GIVING for one in life[:place]))
    ]
    for start, end in pairwise([*starts, len(life)]):
        yield life[start:end]


def _answer(lines, now):
    due = holder = late_with = answered = delivered = None
    for line in lines:
        facts, at = line["facts"], line["at"]
        if answered is None:
            if line["act"] in ANSWERING:
                answered = at
                continue
            before = holder
            if "answer_due_at" in facts:
                due = _moment(facts["answer_due_at"])
            elif facts["state"] in ("accepted", "drafted"):
                due = _moment(facts["due_at"])
            holder = facts["answerable"] or holder
            if at <= due:
                late_with = None
            elif late_with is None:
                late_with = before if before is not None else holder
        elif delivered is None and line["act"] in ("told", "opened"):
            delivered = _moment(facts["at"]) if line["act"] == "told" else at
    if due <= now:
        yield (
            late_with or holder,
            "answered",
            None not in (answered, delivered) and max(answered, delivered) <= due,
            due,
        )


def _end(life):
    """Yield what the end of it counts for: the last unit that had it, or the desk it came to."""
    last = life[-1]
    given = [line["facts"]["unit"] for line in life if line["act"] in GIVING]
    unit = given[-1] if given else life[0]["facts"]["answerable"]
    ended = next((line for line in reversed(life) if line["act"] in ENDS), None)
    if ended is None or last["facts"]["state"] not in ("closed", "unreached", "withdrawn"):
        return
    if last["facts"]["state"] != "closed":
        yield unit, last["facts"]["state"], None, ended["at"]
        return
    said = [line["facts"] for line in life if line["act"] in ("content", "contested")][-1]
    yield unit, "solved", said["solved"], ended["at"]
    yield unit, "satisfied", said["satisfaction"] != "dissatisfied", ended["at"]


ENDS = ("content", "closed_with_reason", "unreached", "withdrawn")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
