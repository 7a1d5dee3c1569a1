"""Rollouts that are killed at every step and gone on with, each in a process of its own; JSON of what came of it.

python3 power_cuts.py FOLDER RELEASE [SECOND]

The robots are files. A step is an entry of the journal, or a robot that takes on a release: the cut comes before its
first effect or after its last. With SECOND the run that goes on is cut as well, so many steps after it began.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.evaluation import Evaluation
from edge_ai.deployment.canary.log import Log, read_entries
from edge_ai.deployment.canary.plan import Plan
from edge_ai.deployment.canary.rollout import Rollout
from edge_ai.deployment.canary.state import OVER, Phase, State
from edge_ai.deployment.journal import Journal

ROBOTS = [f"robot{number}" for number in range(1, 4)]


class Power:
    """Fails when it has been used so often."""

    def __init__(self, steps):
        self.left = steps

    def use(self):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class CutJournal(Journal):
    def __init__(self, path, power):
        super().__init__(path)
        self._power = power

    def write(self, step, **facts):
        self._power.use()
        entry = super().write(step, **facts)
        self._power.use()
        return entry


class Files:
    """A target whose robots are files that hold their release."""

    def __init__(self, folder, power):
        self._folder, self._power = folder, power

    def version(self, host):
        return (self._folder / host.name).read_text()

    def apply(self, release, host):
        self._power.use()
        part = self._folder / f"{host.name}.part"
        part.write_text(release)
        part.rename(self._folder / host.name)
        self._power.use()
        if release == "refused":
            raise DeploymentError(f"robot '{host.name}'", got="an illegal instruction")

    roll_back = apply


class Figures:
    """What Prometheus would say of robots by what they run."""

    def __init__(self, folder):
        self._folder = folder

    def evaluate(self, criteria, canary, stable, window):
        groups = [{host.name: self._of(host) for host in hosts} for hosts in (canary, stable)]
        return Evaluation(*({"errors": group} for group in groups))

    def _of(self, host):
        return (900.0 if (self._folder / host.name).read_text() == "bad" else 0.0, 9000.0)


def run(folder, release, steps):
    """One life of the deployer; never returns."""
    power = Power(steps)
    errors = {"name": "errors", "bad": "a{$group}", "total": "b{$group}", "limit": 0.01}
    plan = Plan(
        release=release,
        hosts=ROBOTS,
        target={},
        stages=[30, 100],
        interval=1.0,
        least=2.0,
        criteria=[errors],
        judge={"least_windows": 1, "frame_block": 1},
        parallel=1,
    )
    with CutJournal(folder / "journal", power).opened() as journal:
        log = Log(journal, lambda line: None)
        rollout = Rollout(plan, Files(folder, power), Figures(folder), log, wait=lambda seconds: None)
        rollout.begin() if log.state.phase in OVER else rollout.resume()
    os._exit(0)


def live(folder, release, steps):
    """Whether a life came to its end by itself."""
    child = os.fork()
    if child == 0:
        run(folder, release, steps)
    return os.waitpid(child, 0)[1] == 0


def look(folder):
    """What a power cut left: the phase, and what is wrong with it."""
    state = State.of(read_entries(folder / "journal"))
    runs = {robot: (folder / robot).read_text() for robot in ROBOTS}
    others = [robot for robot, release in runs.items() if release != "old"]
    wrong = [f"{robot} was touched and the journal does not know" for robot in others if robot not in state.before]
    most = (1, 3)[state.stage]
    wrong += [f"{len(others)} robots at stage {state.stage}"] if len(others) > most else []
    return state, runs, wrong


def main(folder, release, second):
    cuts, wrong, ends = 0, [], []
    while True:
        place = folder / f"{release}{cuts}"
        place.mkdir()
        for robot in ROBOTS:
            (place / robot).write_text("old")
        whole = live(place, release, cuts)
        wrong += [f"cut {cuts}: {what}" for what in look(place)[2] if look(place)[0].phase is not Phase.PROMOTED]
        if not whole and second is not None:
            live(place, release, second)
            wrong += [f"cut {cuts}, {second}: {what}" for what in look(place)[2]]
        finished = whole or look(place)[0].phase in OVER[1:] or live(place, release, -1)
        state, runs, _ = look(place)
        ends.append([state.phase.name, sorted(set(runs.values())), finished])
        if whole:
            break
        cuts += 1
    sys.stdout.write(json.dumps({"cuts": cuts, "wrong": wrong, "ends": ends}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
