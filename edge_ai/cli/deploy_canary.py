"""edge-ai deploy canary: a new release on some robots, on more while it does well, back on all if it does not."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from edge_ai.deployment.canary.limits import check_limits
from edge_ai.deployment.canary.log import Log, figures_of, page, read_entries
from edge_ai.deployment.canary.plan import Plan, load_plan
from edge_ai.deployment.canary.prometheus import Asker, Prometheus
from edge_ai.deployment.canary.rollout import Rollout
from edge_ai.deployment.canary.spreading import versions
from edge_ai.deployment.canary.state import Phase, State
from edge_ai.deployment.canary.target import Target, make_target
from edge_ai.deployment.journal import Journal

_STATUS = {Phase.PROMOTED: 0, Phase.HOLDING: 3, Phase.UNDECIDED: 3}


class CanaryCommand:
    """Exit status: 0 on all robots, 1 taken back or not begun, 3 people are to decide."""

    summary = "a new release on some robots first, on all if it does well by the figures of Prometheus"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("plan", type=Path, metavar="PLAN.yaml", help="see doc/canary.md")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="say what would be done; change nothing")
        what.add_argument("--resume", action="store_true", help="go on after a crash, or with what it held for")
        what.add_argument("--abort", action="store_true", help="take the release back from all robots")
        what.add_argument("--promote", action="store_true", help="go on to the next stage without enough evidence")
        what.add_argument("--status", action="store_true", help="show what was done and decided, with the figures")

    def main(self, options: argparse.Namespace) -> int:
        plan = load_plan(options.plan)
        target, path = make_target(plan.target), plan.journal_of(options.plan)
        if options.status:
            return _show(path)
        with contextlib.closing(Prometheus(plan.prometheus)) as prometheus:
            asker = Asker(prometheus, plan.label)
            if options.dry_run:
                return _dry_run(plan, target, asker)
            with Journal(path).opened() as journal:
                log = Log(journal, lambda line: print(line, flush=True))
                phase = _do(options, Rollout(plan, target, asker, log))
        print(f"\nrelease {log.state.release}: {phase.value}")
        if phase is Phase.HOLDING:
            print("--resume watches on, --promote goes on without the evidence, --abort takes it back")
        elif phase is Phase.ROLLING_BACK:
            print(f"not back: {', '.join(log.state.before)}; --resume tries again")
        return _STATUS.get(phase, 1)


def _do(options: argparse.Namespace, rollout: Rollout) -> Phase:
    if options.resume:
        return rollout.resume()
    if options.abort:
        return rollout.abort()
    return rollout.promote() if options.promote else rollout.begin()


def _show(path: Path) -> int:
    """The newest rollout; those before it are in the file."""
    entries = read_entries(path)
    begun = max((number for number, entry in enumerate(entries) if entry.step == "planned"), default=0)
    print("\n".join(page(entries[begun:])))
    state = State.of(entries)
    print(f"\nrelease {state.release or '-'}: {state.phase.value}; {len(state.on)} robots run it")
    return 0


def _dry_run(plan: Plan, target: Target, asker: Asker) -> int:
    """What runs where, who gets the release when, and whether every criterion has figures now."""
    runs = versions(target, plan.hosts, plan.parallel)
    stage: int | None = 0
    while stage is not None:
        size = plan.way.size(stage, len(plan.hosts))
        print(f"stage {stage + 1}: {plan.release} on {', '.join(host.name for host in plan.hosts[:size])}")
        stage = plan.way.after(stage, len(plan.hosts))
    for name, version in runs.items():
        print(f"{name} runs {version or 'nothing'}" if isinstance(version, str) else f"not reached: {version}")
    reached = [host for host in plan.hosts if isinstance(runs[host.name], str)]
    criteria = [criterion for criterion in plan.criteria if criterion.against is None]
    evaluation = asker.evaluate(criteria, reached, (), plan.interval)
    limits = check_limits(criteria, [evaluation], [host.name for host in reached])
    print("\n".join(figures_of(evaluation.canary, {})))
    for word, found in (("limit breached", limits.breached), ("undecided", limits.unknown)):
        for what in found:
            print(f"{word}: {what}")
    return 1 if limits.breached else 3 if limits.unknown else 0
