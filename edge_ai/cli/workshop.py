"""What the commands of the workshop have in common: options, progress, and what their exit status means.

0: shipped; 1: refused by the gate; 2: wrong use, or something that the user has to mend first.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REFUSED, WRONG = 1, 2
_PERIOD_S = 2.0  # between two lines of progress where nobody sits at a terminal

Main = Callable[[Any, argparse.Namespace], int]


def add_job_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, labels, budget, and how much is measured."""
    parser.add_argument("--data", required=True, metavar="FOLDER|VIDEO|BAG", help="pictures like those of the robot")
    parser.add_argument(
        "--labels", type=Path, metavar="COCO.json", help="what is on them; default: the original's answers"
    )
    add_loss_arguments(parser)
    parser.add_argument("--pictures", type=int, default=100, metavar="N", help="to judge on, without labels (100)")
    parser.add_argument("--rounds", type=int, default=12, metavar="N", help="turns of timing (12)")


def add_loss_arguments(parser: argparse.ArgumentParser) -> None:
    """What may be lost."""
    parser.add_argument(
        "--max-ap-loss",
        "--max-loss",
        dest="max_loss",
        type=float,
        default=0.01,
        metavar="X",
        help="of the accuracy at most, 0 to 1: AP50-95, top-1, mIoU or OKS AP by the model's task (default 0.01)",
    )
    parser.add_argument("--max-class-loss", type=float, default=0.05, metavar="X", help="the same of each class (0.05)")
    parser.add_argument("--sure", action="store_true", help="hold the upper end of the loss's interval to the budget")


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for model, card and report")


def add_keep_argument(parser: argparse.ArgumentParser) -> None:
    """What to leave alone."""
    parser.add_argument("--keep", action="append", default=[], metavar="LAYER", help="leave alone; may be repeated")


def job(options: argparse.Namespace, **changes: Any) -> Any:
    """The job that the options describe.

    Raises:
        EdgeAIError: a value is out of range, or the card is no good.
    """
    from edge_ai.evaluation.budget import Budget
    from edge_ai.optimization.judging.trial import Job
    from edge_ai.processing.card import ModelCard

    budget = Budget(options.max_loss, options.max_class_loss, options.sure)
    card = ModelCard.load(options.card)
    return Job(card, options.data, options.labels, budget, pictures=options.pictures, rounds=options.rounds, **changes)


def command_line() -> str:
    """What was typed."""
    return shlex.join(["edge-ai", *sys.argv[1:]])


def workshop_main(main: Main) -> Main:
    """Let a command's errors end in status 2, but for a refusal of the gate, which is 1."""

    @functools.wraps(main)
    def wrapped(command: Any, options: argparse.Namespace) -> int:
        from edge_ai.core.errors import EdgeAIError, RefusedError

        try:
            with _terminated_as_interrupted():
                return main(command, options)
        except EdgeAIError as error:
            end_progress()
            print(f"error: {error}", file=sys.stderr)
            return REFUSED if isinstance(error, RefusedError) else WRONG
        except KeyboardInterrupt:
            end_progress()
            print("interrupted; nothing was written", file=sys.stderr)
            return 130

    return wrapped


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A request to end (SIGTERM) leaves as little behind as Ctrl-C does."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not the main thread: whoever started it handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Progress:
    """One line that changes on a terminal; elsewhere a line for each step and every other second."""

    def __init__(self) -> None:
        self._what, self._said, self._begun = "", 0.0, time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        fresh, self._what = what != self._what, what
        if not (sys.stderr.isatty() or fresh or now - self._said >= _PERIOD_S):
            return
        self._said = now
        count = f" {done}/{total}" if total else f" {done}" if done else ""
        line = f"  [{now - self._begun:5.0f} s] {what}{count}"
        if sys.stderr.isatty():
            print(f"\r{line[:99].ljust(99)}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def end_progress() -> None:
    """Leave the line that changes."""
    if sys.stderr.isatty():
        print("\r".ljust(101) + "\r", end="", file=sys.stderr, flush=True)


def show(outcome: Any) -> int:
    """Print what came of a run; the exit status."""
    end_progress()
    print(table(outcome.data))
    for reason in outcome.data["verdict"]["reasons"]:
        print(f"  {reason}")
    for note in outcome.data["notes"]:
        print(f"  note: {note}")
    print(f"\n{'SHIPPED' if outcome.shipped else 'REFUSED by the gate, nothing shipped'}: {outcome.report}")
    return 0 if outcome.shipped else 1


def table(data: Any) -> str:
    """The variants of a report, a line each."""
    metric = data["metric"]["name"]
    rows = [("variant", metric, "loss", "95 %", "ms", "speed", "MB", "")]
    for one in data["variants"]:
        loss, speed = one["loss"], one["speedup"]
        rows.append(
            (
                one["name"],
                _number(one["accuracy"]["value"], ".4f"),
                _number(loss and loss["value"], "+.4f"),
                f"{_number(loss['low'], '+.4f')} to {_number(loss['high'], '+.4f')}" if loss else "",
                _number(one["latency_ms"]["p50"], ".1f"),
                _number(speed and speed["value"], ".2f", "x"),
                f"{one['size'] / 1e6:.2f}",
                "pareto" if one["pareto"] else "",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"
