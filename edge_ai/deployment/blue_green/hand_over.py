"""The hand-over of a robot's wheels between two sides, asked of the lifecycle managers inside them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import HandOverPlan, RosPlan, SideName
from edge_ai.deployment.blue_green.side import Side

_LOOK = 10.0  # s for a look at what should be there already
_MARGIN = 15.0  # s that the agent itself takes, with a loaded machine and the discovery of its peers


class HandOver:
    """Brings a side's nodes up and down; all of it may be done again.

    That two never drive is not left to it: a controller drives only while it holds a lock of the kernel's
    (`edge_ai.control.drive_lease`), and `check_exclusive` makes sure that both sides contend for the same one.

    Args:
        plan: how a side is asked.
        ros: what each side has in ROS, by its name.
        grace: s for a side to end by itself.
        say: takes a line of progress.
    """

    def __init__(
        self, plan: HandOverPlan, ros: Mapping[SideName, RosPlan], grace: float, say: Callable[[str], None]
    ) -> None:
        self._plan, self._ros, self._grace, self._say = plan, ros, grace, say

    def standby(self, side: Side) -> str:
        """Load all that can be loaded beside a side in charge; nothing becomes active.

        Raises:
            DeploymentError: a node does not come there; says which and why.
        """
        self._bring(side, "standby")
        return "nodes in standby"

    def to(self, side: Side, before: Side, *, back: bool = False) -> None:
        """Let one side drive in the place of the other; the robot stands meanwhile.

        Args:
            side: that is to drive.
            before: the other one, which goes into standby.
            back: whether `side` drove before: then the other one is stopped, since what is broken may never reach
                standby, and would go on driving until time is up.

        Raises:
            DeploymentError: the side does not come up; then nobody drives.
        """
        topics, leave = self._ros[side.name].topics, "stop" if back else "standby"
        if before.running() and not self._same_lock(side, before):
            self._say(f"{before.name} is ended as a whole, since nothing shows that the kernel keeps it from driving")
            self._end(before)
        if not before.running():
            self._bring(side, "start", topics)
            return
        old = [word for manager in self._ros[before.name].managers for word in ("--from", manager)]
        try:
            answer = self._bring(side, "hand-over", topics, more=[*old, "--leave", leave])
            self._say(f"the robot stood for {answer.get('stood')} s")
        except DeploymentError as error:
            self._say(str(error))
            if self._quieten(before, leave):
                raise  # what does not do its work is the side itself
            self._bring(side, "start", topics)

    def stop(self, side: Side) -> None:
        """Stop a side's nodes; one that does not answer is ended as a whole: what does not run, does not drive.

        Raises:
            DeploymentError: it cannot be ended either.
        """
        if side.running():
            self._quieten(side, "stop")

    def _quieten(self, side: Side, verb: str) -> bool:
        """Whether a side obeys; it is ended where it does not."""
        try:
            self._bring(side, verb)
            return True
        except DeploymentError as error:
            self._say(f"{side.name} is ended as a whole, since its nodes do not stop: {error}")
        self._end(side)
        return False

    def _end(self, side: Side) -> None:
        side.stop(self._grace)
        if side.running():
            mend = "end it by hand; nothing else is started before that"
            raise DeploymentError(f"side {side.name}", got="it does not end", mend=mend)

    def check(self, side: Side) -> str:
        """Whether the nodes of the side in charge are active and its topics alive.

        Raises:
            DeploymentError: they are not; says which.
        """
        self._bring(side, "status", self._ros[side.name].topics, timeout=_LOOK)
        return "nodes and topics alive"

    def check_exclusive(self, side: Side, other: Side) -> str:
        """Whether the kernel keeps these two from driving at the same time.

        The other one may be broken and tell nothing: then it is ended before this one starts.

        Raises:
            DeploymentError: each would take a lock of its own.
        """
        lock, another = self._lock(side), self._lock(other)
        if not self._plan.wheels or not another:
            return f"{other.name} tells no lock" if self._plan.wheels else "no wheels"
        if not _same(lock, another):
            got = f"'{lock.get('path')}' in {side.name} and '{another.get('path')}' in {other.name}, not the same lock"
            mend = "let both sides mount one folder, named by XDG_RUNTIME_DIR, and give them the same ROS_DOMAIN_ID"
            raise DeploymentError("the right to drive", got=got, wanted="one lock for both", mend=mend)
        return "one lock decides who drives"

    def _same_lock(self, side: Side, other: Side) -> bool:
        return not self._plan.wheels or _same(self._lock(side), self._lock(other))

    def _lock(self, side: Side) -> Mapping[str, str]:
        """Which lock a side's controllers contend for; empty where it does not tell, or there are no wheels."""
        if not self._plan.wheels:
            return {}
        try:
            return dict(self._ask(side, "status", timeout=_LOOK).get("lease") or {})
        except DeploymentError:
            return {}

    def _bring(self, side: Side, verb: str, topics: Sequence[str] = (), **how: Any) -> dict[str, Any]:
        answer = self._ask(side, verb, topics, **how)
        if answer.get("ok") is not True:
            got = answer.get("message") or "no reason"
            raise DeploymentError(f"{verb} of the nodes of side {side.name}", got=got, wanted="all as asked for")
        return answer

    def _ask(
        self, side: Side, verb: str, topics: Sequence[str] = (), *, timeout: float = 0.0, more: Sequence[str] = ()
    ) -> dict[str, Any]:
        timeout = timeout or self._plan.timeout
        words = [*self._plan.agent, verb, "--timeout", f"{timeout:g}", *more]
        words += [word for manager in self._ros[side.name].managers for word in ("--manager", manager)]
        words += [word for topic in topics for word in ("--topic", topic)]
        if self._plan.wheels:
            words += ["--wheels", self._plan.wheels]
        done = side.exec(words, timeout + _MARGIN)
        lines = done.output.strip().splitlines() or [""]
        with contextlib.suppress(ValueError):  # what it said instead is told below
            answer = json.loads(lines[-1])
            if isinstance(answer, dict):
                return answer
        said = (done.errors.strip().splitlines() or lines)[-1] or "nothing"
        raise DeploymentError(f"{verb} of the nodes of side {side.name}", got=said, wanted="an answer in JSON")


def _same(lock: Mapping[str, str], another: Mapping[str, str]) -> bool:
    return bool(lock.get("identity")) and lock["identity"] == another.get("identity")
