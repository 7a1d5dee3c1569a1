"""edge-ai watch: what every source of metrics says on this machine, and which are left out."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edge_ai.cli.arguments import positive
from edge_ai.monitoring.words import spoken

if TYPE_CHECKING:
    from edge_ai.monitoring.readings import Readings, Sample
    from edge_ai.monitoring.sampler import Sampler

_HEADLINE = ("cpu", "gpu", "memory", "temperature", "power", "throttled", "monitor/load")


class WatchCommand:
    """Looks at the machine once a second, as the monitor does."""

    summary = "what every source of metrics says on this machine, and which are left out and why"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seconds", type=positive, default=3.0, metavar="N", help="for how long; default: 3")
        parser.add_argument("--json", action="store_true", help="as JSON, one line each second")
        power = parser.add_argument_group("a Jetson's power", "asked for at the start and put back at the end")
        power.add_argument("--mode", default="", metavar="NAME", help="nvpmodel's power mode, by name or number")
        power.add_argument("--clocks", default="", choices=["on", "off"], help="jetson_clocks")
        power.add_argument("--fan", default="", metavar="NAME", help="profile of the fan")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.core.clock import SystemClock
        from edge_ai.monitoring.power import PowerControl
        from edge_ai.monitoring.probes.registry import find
        from edge_ai.monitoring.sampler import Sampler

        power = PowerControl()
        refusals = power.apply(options.mode, options.clocks, options.fan)
        found = find()
        sampler = Sampler(found.probes, SystemClock())
        try:
            for sample in _looks(sampler, options.seconds):
                sources = sampler.by_source()
                print(as_json(sample, sources, found.left_out) if options.json else headline(sample))
            if not options.json:
                print(f"\n{report(sample, sources, found.left_out)}")
        finally:
            sampler.stop()
            refusals += power.restore()
        for refusal in refusals:
            print(json.dumps({"refused": refusal}) if options.json else f"refused: {refusal}")
        return 1 if sample.faults or refusals else 0


def _looks(sampler: Sampler, seconds: float) -> Iterator[Sample]:
    """One a second; the one before that goes unseen, as loads are means since the look before."""
    sampler.collect()
    begin = time.monotonic()
    for number in range(1, max(round(seconds), 1) + 1):
        time.sleep(max(begin + number - time.monotonic(), 0.0))
        yield sampler.collect()


def as_json(sample: Sample, sources: Mapping[str, Readings], left_out: Mapping[str, str]) -> str:
    """All that is known, in one line."""
    return json.dumps(
        {
            "stamp_ns": sample.stamp_ns,
            "readings": dict(sample.readings),
            "texts": dict(sample.texts),
            "faults": dict(sample.faults),
            "sources": {name: dict(readings) for name, readings in sources.items()},
            "left_out": dict(left_out),
        },
        allow_nan=False,
    )


def headline(sample: Sample) -> str:
    """The most important of it in a line."""
    return "  ".join(
        f"{name} {spoken(name, sample.readings[name], 1)}" for name in _HEADLINE if name in sample.readings
    )


def report(sample: Sample, sources: Mapping[str, Readings], left_out: Mapping[str, str]) -> str:
    """Everything: a line each reading with what each source says of it, then what is left out."""
    names = [name for name, readings in sources.items() if readings]
    rows = [["", "taken", *names]]
    for name in sorted(set(sample.readings).union(*sources.values())):
        values = [sample.readings.get(name), *(sources[source].get(name) for source in names)]
        rows.append([name, *("" if value is None else spoken(name, value, 1) for value in values)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{name}: {text}" for name, text in sorted(sample.texts.items())]
    lines += ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
    lines += [f"nothing to read: {name}" for name in sources if name not in names and name not in sample.faults]
    lines += [f"left out: {name}: {reason}" for name, reason in left_out.items()]
    return "\n".join([*lines, *(f"fault: {name}: {reason}" for name, reason in sample.faults.items())])
