"""edge-ai deploy blue-green: a new release beside the one that serves, and in its place if it does well."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_ai.deployment.blue_green.plan import Plan
    from edge_ai.deployment.containers import ContainerEngine
    from edge_ai.deployment.journal import Journal


class BlueGreenCommand:
    """Carries out a plan, or ends what a crash has left of one."""

    summary = "a new release beside the one that serves, on one machine, and in its place if it does well"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("plan", type=Path, metavar="PLAN", help="YAML file, see doc/blue_green.md")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--dry-run", action="store_true", help="check the plan, say what would be done, do nothing")
        ways.add_argument("--status", action="store_true", help="say which side is in charge and what is half done")
        ways.add_argument(
            "--resume",
            action="store_true",
            help="end what a crash has left; else see to it that the side in charge is so, as after a start of the "
            "machine",
        )
        ways.add_argument("--roll-back", action="store_true", help="the side in charge before, checked as a new one")
        ways.add_argument(
            "--record-golden", action="store_true", help="write down what the side in charge answers, to compare with"
        )

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.deployment.blue_green.plan import load_plan
        from edge_ai.deployment.containers import ContainerEngine
        from edge_ai.deployment.journal import Journal

        plan, folder = load_plan(options.plan), options.plan.resolve().parent
        journal = Journal(plan.journal_of(options.plan))
        with ContainerEngine() as engine:
            if options.status or options.dry_run or options.record_golden:
                return _look(options, plan, folder, journal, engine)
            with journal.opened():
                return _act(options, plan, folder, journal, engine)


def _act(options: argparse.Namespace, plan: Plan, folder: Path, journal: Journal, engine: ContainerEngine) -> int:
    from edge_ai.deployment.blue_green.make import make_deployment
    from edge_ai.deployment.blue_green.standing import standing

    if options.resume or options.roll_back:
        plan = standing(journal.entries).plan or plan
    deployment = make_deployment(plan, folder, journal, engine, _say)
    if options.resume:
        done = deployment.resume()
    else:
        done = deployment.roll_back() if options.roll_back else deployment.deploy()
    return 0 if done else 1


def _look(options: argparse.Namespace, plan: Plan, folder: Path, journal: Journal, engine: ContainerEngine) -> int:
    from edge_ai.deployment.blue_green.golden import record_golden
    from edge_ai.deployment.blue_green.make import make_sides, make_switch
    from edge_ai.deployment.blue_green.report import intention, status
    from edge_ai.deployment.blue_green.standing import standing

    stand = standing(journal.read())
    switch = make_switch(plan, folder, _say)
    if options.record_golden:
        print(record_golden(plan, stand.in_charge, folder))
    elif options.dry_run:
        switch.check()
        print("\n".join(intention(plan, stand)))
    else:
        print("\n".join(status(stand, make_sides(plan, folder, engine), switch)))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
