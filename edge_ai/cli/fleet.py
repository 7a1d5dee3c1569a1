"""edge-ai fleet: simulate many robots that share servers, under each policy."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_ai.cli.arguments import count_to, fleet_sizes, make_folder, settings

if TYPE_CHECKING:
    from edge_ai.fleet.calibration import Calibration
    from edge_ai.fleet.params import FleetParams
    from edge_ai.fleet.report import Entry


class FleetCommand:
    """Runs sizes and policies one after the other, or several at once; writes fleet.json and pictures."""

    summary = "simulate many robots that share servers, or measure what the simulation needs to know"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("what", nargs="?", choices=["simulate", "calibrate"], default="simulate")
        parser.add_argument(
            "--robots", type=fleet_sizes, default=(1, 10, 100), metavar="N,...", help="sizes of the fleet"
        )
        parser.add_argument("--policy", default="all", metavar="NAME,...", help="all, or names; always-edge and -cloud")
        parser.add_argument("--outage", type=_span, metavar="START:END", help="when the servers are gone, s; 0:0 never")
        parser.add_argument("--fleet", action="append", default=[], metavar="NAME=VALUE", help="parameter of the fleet")
        parser.add_argument("--router", action="append", default=[], metavar="NAME=VALUE", help="parameter of routers")
        parser.add_argument("--calibration", type=Path, metavar="FILE", help="run times; default: the shipped ones")
        parser.add_argument("--jobs", type=count_to(64), default=1, metavar="N", help="runs at once")
        parser.add_argument("--form", choices=["png", "svg"], default="png", help="of the pictures")
        parser.add_argument("--request", type=float, default=0.005, help="calibrate: seconds a request costs besides")
        parser.add_argument("--source", default="synthetic://640x480", help="calibrate: whose pictures")
        parser.add_argument("--output", type=Path, metavar="PATH", help="folder; with calibrate a file")

    def main(self, options: argparse.Namespace) -> int:
        if options.what == "calibrate":
            from edge_ai.cli.fleet_calibration import measure

            found = measure(options.source, options.request)
            found.save(options.output or Path("calibration.json"))
            print(found)
            return 0
        from edge_ai.fleet.calibration import load_calibration
        from edge_ai.fleet.plots import draw
        from edge_ai.fleet.report import table, write_json

        calibration = load_calibration(options.calibration)
        plans, router = _plans(options), settings(options.router)
        folder = make_folder(options.output or Path("fleet"))
        print(f"run times: {calibration.model} on {calibration.machine}")
        entries: list[Entry] = []
        for entry in _run_all(plans, router, calibration, options.jobs):
            entries.append(entry)
            scaled = f", 1 of {entry.params.stands_for:.3g} frames" if entry.params.stands_for > 1 else ""
            who = f"{entry.params.robots} robots, {entry.params.policy}{scaled}"
            print(f"  {len(entries)}/{len(plans)}  {who}: {entry.wall_s:.0f} s", flush=True)
        text = table(entries)
        print(f"\n{text}\n")
        (folder / "fleet_table.txt").write_text(text + "\n")
        write_json(entries, calibration, folder / "fleet.json")
        files = [folder / "fleet.json", folder / "fleet_table.txt", *draw(entries, folder, options.form)]
        print(f"written: {', '.join(map(str, files))}")
        return 0


def _plans(options: argparse.Namespace) -> list[FleetParams]:
    from edge_ai.fleet.params import FleetParams
    from edge_ai.fleet.simulation import router_params
    from edge_ai.routing.policy import policy_names

    names = list(
        dict.fromkeys(n for part in options.policy.split(",") for n in (policy_names() if part == "all" else [part]))
    )
    given = settings(options.fleet)
    if options.outage is not None:
        given = {**given, "outage_start": options.outage[0], "outage_end": options.outage[1]}
    plans = [
        FleetParams.parse({**given, "robots": size, "policy": name}, owner="edge-ai fleet")
        for size in options.robots
        for name in names
    ]
    for plan in plans:
        router_params(plan)
    return plans


def _run_all(
    plans: Sequence[FleetParams], router: dict[str, Any], calibration: Calibration, jobs: int
) -> Iterator[Entry]:
    if jobs == 1:
        yield from (_run(plan, router, calibration) for plan in plans)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(plans))) as pool:
        yield from pool.map(_run, plans, [router] * len(plans), [calibration] * len(plans))


def _run(plan: FleetParams, router: dict[str, Any], calibration: Calibration) -> Entry:
    from edge_ai.fleet.report import entry_of
    from edge_ai.fleet.simulation import BASE, simulate

    return entry_of(simulate(plan, calibration=calibration, router=BASE.changed(**router)))


def _span(text: str) -> tuple[float, float]:
    begin, colon, end = text.partition(":")
    try:
        span = float(begin), float(end)
    except ValueError:
        span = (1.0, 0.0)
    if not colon or not 0 <= span[0] <= span[1]:
        raise argparse.ArgumentTypeError(f"got '{text}', wanted START:END in seconds like 25:35")
    return span
