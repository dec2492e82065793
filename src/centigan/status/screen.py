"""The status as a screen, or as JSON for programs."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from centigan.status import Status
from centigan.status.training import Training, duration

STATES = ("done", "running", "waiting", "failed", "stopped", "to do")
LISTED = ("running", "failed", "waiting", "stopped")  # trainings that get a line, in this order
LINES = 20  # of a list, unless all are asked for


def progress(trainings: Sequence[Training]) -> dict[str, float | None]:
    """Of all trainings together: iterations done and in all, speed now, seconds left at that speed."""
    done, total = (sum(getattr(each, name) for each in trainings) for name in ("iteration", "iterations"))
    speed = sum(each.speed or 0.0 for each in trainings)
    left = (total - done) / speed if speed else None
    return {"iteration": done, "iterations": total, "speed": speed, "seconds_left": left}


def as_json(now: Status) -> str:
    """Everything, for programs."""
    trainings = [asdict(each) for each in now.trainings]
    return json.dumps(
        vars(now) | {"trainings": trainings, "progress": progress(now.trainings)}, indent=2, allow_nan=False
    )


def as_text(now: Status, *, every: bool = False) -> str:
    """The screen: stages, trainings under way or in trouble, the whole."""
    rows = [[now.experiment, *STATES]]
    rows += [[rule, *(str(found[state] or "-") for state in STATES)] for rule, found in now.stages.items()]
    parts = [_aligned(rows, "<" + ">" * len(STATES)), _training_lines(now.trainings, every)]
    cut = None if every else LINES
    more = len(now.failures[LINES:]) if cut else 0
    parts.append([f"failed: {failure}" for failure in now.failures[:cut]])
    parts.append([f"{more} more failed: centigan status --all"] if more else [])
    parts.append([_whole(now.trainings)])
    return "\n\n".join("\n".join(part) for part in parts if part)


def _training_lines(trainings: list[Training], every: bool) -> list[str]:
    found = [each for state in LISTED for each in trainings if each.state == state]
    shown, rest = (found, []) if every else (found[:LINES], found[LINES:])
    if not shown:
        return []
    head = ["split", "state", "job", "node", "iteration", "", "it/s", "left", "end", ""]
    head_line, *rows = _aligned([head, *(_row(each) for each in shown)], "<<<<>>>><<")
    lines = [head_line]
    for row, each in zip(rows, shown, strict=True):
        lines.append(row)
        if each.log:
            lines.append(f"  {each.log}: {each.last_line}")
    if rest:
        lines.append(f"and {_counted(Counter(each.state for each in rest))}: centigan status --all")
    return lines


def _row(each: Training) -> list[str]:
    reached, share = f"{each.iteration}/{each.iterations}", f"{each.iteration / each.iterations:.0%}"
    pace = ["", "", ""]
    if each.speed:
        seconds = (each.iterations - each.iteration) / each.speed
        pace = [f"{each.speed:.1f}", duration(seconds), _clock(seconds)]
    return [each.split, each.state, str(each.job or ""), each.node, reached, share, *pace, each.note]


def _whole(trainings: list[Training]) -> str:
    all_of = progress(trainings)
    running = sum(each.state == "running" for each in trainings)
    if all(each.state == "done" for each in trainings):
        return f"training: all {all_of['iterations']} iterations are done"
    share = (all_of["iteration"] or 0) / (all_of["iterations"] or 1)
    line = f"training: {share:.1%} of {all_of['iterations']} iterations, {running or 'none'} running"
    left = all_of["seconds_left"]
    if left is None:
        return line
    return f"{line} at {all_of['speed']:.1f} it/s; at this speed all end in {duration(left)}, {_clock(left)}"


def _aligned(rows: list[list[str]], sides: str) -> list[str]:
    """Rows as lines of even columns; a column that says nothing below its head is left out."""
    kept = [
        [f"{cell:{side}{max(map(len, column))}}" for cell in column]
        for side, column in zip(sides, zip(*rows, strict=True), strict=True)
        if any(column[1:])
    ]
    return ["  ".join(line).rstrip() for line in zip(*kept, strict=True)]


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{found[state]} {state}" for state in STATES if found[state])


def _clock(seconds: float) -> str:
    """The local time so many seconds from now."""
    at, now = time.localtime(time.time() + seconds), time.localtime()
    if at[:3] == now[:3]:
        return time.strftime("%H:%M", at)
    return time.strftime("%a %H:%M" if seconds < 6 * 86400 else "%d %b %H:%M", at)
