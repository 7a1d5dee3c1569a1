"""Part `judge`: how often it is wrong and how soon it decides, beside a rank test on the same data.

One stage of a rollout, watched for an hour at most; robots are drawn anew for each run. *Just beyond* is a release at
the edge of what is tolerated, where any judge errs most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.topic import Context, Report
from edge_ai.deployment.judge.judge import Counts, Judge, Verdict, Window
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.fleet.releases import RELEASES, Measured, Release, Robots
from edge_ai.fleet.rollout_params import RolloutParams

GOALS = {
    "false_promote": Goal("judge: bad releases promoted, share", None, 0.02, "lower"),
    "false_reject": Goal("judge: good releases rejected, share", None, 0.02, "lower"),
    "just_beyond": Goal("judge: releases just beyond what is tolerated promoted, share", None, 0.02, "lower"),
    "decided": Goal("judge: runs decided within an hour, 10 robots and more, share", None, 0.9, "higher"),
}
GROUPS = ((1, 1), (9, 1), (7, 3), (90, 10))
"""Robots with the old and with the new release."""
_NAMES = ("same", "better", "slower-5%", "fails", "errors-2.5%", "slower-30%", "wider", "x100")
_JUST_BEYOND = Release(bad=True, errors=JudgeParams().rate_tolerance)
_SITES: Mapping[str, Mapping[str, float]] = {
    "alike": {"unlike": 0.0, "lasting": 0.0},
    "unlike": {"unlike": 0.03, "lasting": 0.5},
}
"""Robots that differ by nothing but chance, and such as are always a little slower or quicker than others."""
_WINDOWS = 120
_POINTS = (10, 50)
"""After so many intervals the rank test is asked."""


@dataclass(frozen=True)
class _Run:
    """What became of one stage: the judge's verdict and after how many windows; whether rank tests would pass it."""

    verdict: Verdict
    windows: int
    passed: Mapping[int, bool]


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """All releases, groups and sites; the values of the goals."""
    runs, rows = int(context.pick(3, 50)), []
    for site in _SITES:
        for groups in GROUPS:
            rows += [_row(name, RELEASES[name], groups, site, runs) for name in _NAMES]
            rows.append(_row("just beyond", _JUST_BEYOND, groups, site, runs))
            context.say(f"{site}, {groups[0]} + {groups[1]} robots: {_told(rows[-len(_NAMES) - 1 :])}")
    report.results["judge"] = {"runs": runs, "rows": rows}
    alike = [row for row in rows if row["site"] == "alike"]
    known = [row for row in alike if row["release"] != "just beyond"]
    beyond = [row for row in alike if row["release"] == "just beyond"]
    for kind in ("judge", *(f"rank_{points}" for points in _POINTS)):
        wrong = {word: _interval(known, f"{kind}_wrong", bad) for word, bad in (("good", False), ("bad", True))}
        words = (
            f"{word} releases {100 * s:.1f} % ({100 * a:.1f} to {100 * b:.1f})" for word, (s, a, b) in wrong.items()
        )
        context.say(f"{kind} wrong about {', '.join(words)}")
        report.results["judge"][f"{kind}_wrong"] = wrong
    larger = [row for row in known if row["groups"][0] > 1]
    return {
        "false_promote": _interval(known, "judge_wrong", True)[0],
        "false_reject": _interval(known, "judge_wrong", False)[0],
        "just_beyond": _interval(beyond, "judge_wrong", True)[0],
        "decided": 1 - sum(row["undecided"] for row in larger) / sum(row["runs"] for row in larger),
    }


def _row(name: str, release: Release, groups: tuple[int, int], site: str, count: int) -> dict[str, Any]:
    """Runs of one release; the counts of wrong ends and of none."""
    runs = [_run(release, groups, site, seed) for seed in range(count)]
    wrong = Verdict.PROMOTE if release.bad else Verdict.REJECT
    ranks = {f"rank_{n}_wrong": sum(one.passed[n] == release.bad for one in runs) for n in _POINTS}
    return {
        "release": name,
        "bad": release.bad,
        "groups": groups,
        "site": site,
        "runs": count,
        "judge_wrong": sum(one.verdict is wrong for one in runs),
        "undecided": sum(one.verdict is Verdict.UNDECIDED for one in runs),
        "windows": median([one.windows for one in runs]),
        **ranks,
    }


def _run(release: Release, groups: tuple[int, int], site: str, seed: int) -> _Run:
    stable, canary = groups
    params = RolloutParams(robots=stable + canary, errors=0.001, burst=15, **_SITES[site])
    robots = Robots(params, replace(release, onset=-1.0), np.random.default_rng(seed))
    robots.install(canary, 0.0)
    judge, verdict, seen = Judge(JudgeParams(), ["errors", "latency"]), Verdict.UNDECIDED, _WINDOWS
    points: list[tuple[float, ...]] = []
    for number in range(1, _WINDOWS + 1):
        found = robots.measure(number * params.interval, params.interval)
        points.append(_point(found, canary))
        if verdict is Verdict.UNDECIDED:
            for window in _windows(found, canary):
                judge.add(window)
            verdict, seen = judge.judgement().verdict, number
        elif number >= max(_POINTS):
            break
    table = np.array(points)
    return _Run(verdict, seen, {n: _rank_test_passes(table[:n]) for n in _POINTS})


def _windows(found: Measured, canary: int) -> Iterable[Window]:
    old, new = slice(canary, None), slice(None, canary)
    counts = (Counts(int(found.failed[part].sum()), found.frames * len(found.failed[part])) for part in (old, new))
    yield Window("errors", *counts)
    yield Window("latency", found.latency[old], found.latency[new])


def _point(found: Measured, canary: int) -> tuple[float, ...]:
    """What a rank test sees of an interval: each group's share of errors and its mean latency."""
    old, new = slice(canary, None), slice(None, canary)
    return tuple(float(one[part].mean()) for one in (found.failed, found.latency) for part in (old, new))


def _rank_test_passes(points: NDArray[np.float64]) -> bool:
    """Whether no metric fails Mann-Whitney's test in the manner of Kayenta's judge."""
    return not any(_greater(points[:, column], points[:, column + 1]) for column in (0, 2))


def _greater(stable: NDArray[np.float64], canary: NDArray[np.float64]) -> bool:
    """Whether the 98 % interval of the shift lies above a quarter of its estimate (Hodges and Lehmann)."""
    shifts = np.sort(np.subtract.outer(canary, stable), axis=None)
    n, m = len(stable), len(canary)
    rank = n * m / 2 - NormalDist().inv_cdf(0.99) * math.sqrt(n * m * (n + m + 1) / 12)
    return bool(shifts[max(0, math.floor(rank))] > 0.25 * abs(np.median(shifts)))


def _interval(rows: Sequence[Mapping[str, Any]], what: str, bad: bool) -> tuple[float, float, float]:
    """A share over all runs with its 95 % interval (Wilson)."""
    chosen = [row for row in rows if row["bad"] is bad]
    count, total, z = sum(row[what] for row in chosen), sum(row["runs"] for row in chosen), 1.96
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return share, max(0.0, middle - half), middle + half


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    ends = "{release} {judge_wrong} wrong, {undecided} open of {runs}, {windows:g} windows"
    return "; ".join(ends.format(**row) for row in rows)
