"""Part `dashboard`: what the page costs the robot's processor while one viewer looks, and while nobody does."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.processes import Side
from benchmarks.topic import ROOT, Context, Report
from benchmarks.video import find_video

GOALS = {
    "seen": Goal("dashboard with one viewer, pictures and figures: % of a core", None, 5.0, "lower"),
    "unseen": Goal("dashboard while nobody looks: % of a core", None, 1.0, "lower"),
}
RESULTS, COMMANDS = 10, 50
"""A second: a robot's usual pace."""
MODES = ("bare", "unseen", "seen")


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """The modes in turns; the values of the goals are differences to the bare loop of the same round."""
    video = find_video(context.say)
    setup = {"source": video, "results": RESULTS, "commands": COMMANDS}
    turn = {"warm": 1.5, "seconds": context.pick(4, 10)}
    answers: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
    with Side("benchmarks.sides.dashboard", setup, context.folder / "dashboard.log") as side:
        for number in range(int(context.pick(2, 8))):
            for mode in MODES if number % 2 else reversed(MODES):
                answers[mode].append(side.measure(mode=mode, **turn))
    cost = {
        mode: [(one["cores"] - bare["cores"]) * 100 for one, bare in zip(answers[mode], answers["bare"], strict=True)]
        for mode in MODES[1:]
    }
    found = {mode: median(values) for mode, values in cost.items()}
    pictures = median([one["pictures"] for one in answers["seen"]])
    kilobytes = median([one["kilobytes"] for one in answers["seen"]])
    report.results["dashboard"] = {
        "what": f"{RESULTS} results/s with frames of {video.removeprefix(f'{ROOT}/')}, {COMMANDS} commands/s, a sample "
        "a second; the server's process less the same loop without a dashboard",
        "turn": turn,
        "percent_of_a_core": found,
        "percent_of_a_core_each_round": cost,
        "pictures_per_s": pictures,
        "kilobytes_per_picture": kilobytes,
        "others_cores": median([one["others_cores"] for one in answers["seen"]]),
    }
    seen = f"one viewer at {pictures:.1f} pictures/s of {kilobytes:.0f} KB"
    context.say(f"dashboard: {found['seen']:.2f} % of a core with {seen}, {found['unseen']:.2f} % with none")
    return found
