"""The command line: ``python -m benchmarks --only pipeline --quick``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.registry import ON_DEMAND, TOPICS
from benchmarks.run import run_topic
from benchmarks.topic import ROOT
from edge_ai.core.errors import EdgeAIError


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 if all ran, missed goals or not, 1 if something did not run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure. The exit status is 0 also when goals are missed, and 1 only when something did not run.",
    )
    parser.add_argument("--only", metavar="TOPIC", help=f"one of {', '.join(TOPICS.names())}; default: all")
    parser.add_argument(
        "--parts", metavar="PART,PART", default="", help="only these parts of the topic named by --only"
    )
    parser.add_argument("--quick", action="store_true", help="a short run, three to five minutes a topic")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench", help="folder for the reports")
    options = parser.parse_args(arguments)
    parts = [part for part in options.parts.split(",") if part]
    if parts and not options.only:
        parser.error("--parts needs --only: parts belong to a topic")
    names = [options.only] if options.only else [name for name in TOPICS.names() if name not in ON_DEMAND]
    try:
        topics = {name: TOPICS.load(name) for name in names}
    except EdgeAIError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the nodes that are measured must end with us
    complete = [
        run_topic(name, measure, options.out, quick=options.quick, parts=parts) for name, measure in topics.items()
    ]
    return 0 if all(complete) else 1


if __name__ == "__main__":
    sys.exit(main())
