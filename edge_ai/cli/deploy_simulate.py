"""edge-ai deploy simulate: what a rollout over many robots would do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_ai.cli.arguments import count_to, fleet_sizes, make_folder, settings

if TYPE_CHECKING:
    from edge_ai.deployment.judge.params import JudgeParams
    from edge_ai.fleet.rollout_params import RolloutParams
    from edge_ai.fleet.rollout_report import Runs


class SimulateCommand:
    """Runs every size, way and release several times; writes rollout.json, a table and pictures."""

    summary = "what a rollout over many robots would do, by simulation with the real judge"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--robots", type=fleet_sizes, default=(1, 10, 100), metavar="N,...", help="sizes of fleets")
        parser.add_argument("--release", default="all", metavar="NAME,...", help="all, or names")
        parser.add_argument("--way", default="judged", metavar="NAME,...", help="judged, limits, at-once")
        parser.add_argument("--stages", type=_percents, metavar="PERCENT,...", help="of the robots, growing to 100")
        parser.add_argument("--runs", type=count_to(10_000), default=20, metavar="N", help="of each")
        parser.add_argument("--rollout", action="append", default=[], metavar="NAME=VALUE", help="of robots and stages")
        parser.add_argument("--judge", action="append", default=[], metavar="NAME=VALUE", help="parameter of the judge")
        parser.add_argument("--jobs", type=count_to(64), default=1, metavar="N", help="runs at once")
        parser.add_argument("--form", choices=["png", "svg"], default="png", help="of the pictures")
        parser.add_argument("--output", type=Path, default=Path("rollout"), metavar="FOLDER", help="where to write")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.deployment.judge.params import JudgeParams
        from edge_ai.fleet.rollout_report import draw_rollouts, rollout_table, write_rollouts

        judge = JudgeParams.parse(settings(options.judge), owner="edge-ai deploy simulate")
        plans = _plans(options)
        make_folder(options.output)
        found: list[Runs] = []
        for one in _run_all(plans, judge, options.runs, options.jobs):
            found.append(one)
            ends = f"{sum(end.promoted for end in one.outcomes)} of {len(one.outcomes)} promoted"
            print(f"  {len(found)}/{len(plans)}  {one.params.robots} robots, {one.params.way}, {one.release}: {ends}")
        text = rollout_table(found)
        print(f"\n{text}\n")
        files = [options.output / name for name in ("rollout.json", "rollout_table.txt")]
        write_rollouts(found, files[0])
        files[1].write_text(text + "\n")
        files += draw_rollouts(found, options.output, options.form)
        print(f"written: {', '.join(map(str, files))}")
        return 0


def _plans(options: argparse.Namespace) -> list[tuple[RolloutParams, str]]:
    from edge_ai.fleet.releases import RELEASES
    from edge_ai.fleet.rollout import release_named
    from edge_ai.fleet.rollout_params import RolloutParams

    names = [n for part in options.release.split(",") for n in (RELEASES if part == "all" else [part])]
    for name in names:
        release_named(name)
    given = settings(options.rollout)
    if options.stages is not None:
        given["stages"] = options.stages
    return [
        (RolloutParams.parse({**given, "robots": size, "way": way}, owner="edge-ai deploy simulate"), name)
        for size in options.robots
        for way in options.way.split(",")
        for name in dict.fromkeys(names)
    ]


def _run_all(plans: Sequence[tuple[RolloutParams, str]], judge: JudgeParams, runs: int, jobs: int) -> Iterator[Runs]:
    if jobs == 1:
        yield from (_run(params, release, judge, runs) for params, release in plans)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(plans))) as pool:
        params, releases = zip(*plans, strict=True)
        yield from pool.map(_run, params, releases, [judge] * len(plans), [runs] * len(plans))


def _run(params: RolloutParams, release: str, judge: JudgeParams, runs: int) -> Runs:
    from edge_ai.fleet.releases import RELEASES
    from edge_ai.fleet.rollout import roll_out
    from edge_ai.fleet.rollout_report import Runs

    seeds = range(params.seed, params.seed + runs)
    return Runs(params, release, [roll_out(params.changed(seed=seed), RELEASES[release], judge) for seed in seeds])


def _percents(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"got '{text}', wanted percentages like 10,25,50,100") from None
