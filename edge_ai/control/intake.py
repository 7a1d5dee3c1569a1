"""The gate that results pass on their way to the wheels."""

from __future__ import annotations

from edge_ai.control.params import ControlParams
from edge_ai.control.validate import fault
from edge_ai.control.watchdog import Watchdog
from edge_ai.core.clock import NS
from edge_ai.core.types import Result


class Intake:
    """Keeps the newest good result and says what is wrong with the others.

    Attributes:
        result: the newest one accepted; None if there is none.
        malformed: what was wrong with the last result, if it made no sense; empty once a good one has come.
        refused: how many were refused.
        refusal: why the last one was; empty once one has been accepted since.
    """

    def __init__(self) -> None:
        self.result: Result | None = None
        self.malformed = ""
        self.refused = 0
        self.refusal = ""
        self._newest_ns: int | None = None
        self._watchdog = Watchdog()

    def forget(self) -> None:
        """Know no result; one captured before the newest so far is refused all the same."""
        self.result, self.malformed = None, ""
        self._watchdog.forget()

    def age(self, now_ns: int) -> float | None:
        """Seconds since the capture of `result`; None if there is none."""
        return self._watchdog.age(now_ns)

    def fresh(self, params: ControlParams, now_ns: int) -> bool:
        """Whether `result` may still move the robot."""
        return self._watchdog.fresh(now_ns, params.max_age)

    def offer(self, result: Result, params: ControlParams, now_ns: int) -> None:
        """Accept a result or refuse it."""
        try:
            malformed = fault(result) or _too_far_ahead(result, params, now_ns)
            refusal = malformed or self._late(result, params, now_ns)
        except Exception as error:
            malformed = refusal = f"it cannot be read: {error!r}"
        if refusal:
            self._refuse(refusal, malformed)
        else:
            self._accept(result, now_ns)

    def _accept(self, result: Result, now_ns: int) -> None:
        self.result, self.malformed, self.refusal = result, "", ""
        self._newest_ns = result.header.steady_ns
        self._watchdog.feed(result.header.steady_ns, now_ns)

    def _refuse(self, reason: str, malformed: str) -> None:
        self.refused += 1
        self.refusal = reason
        self.malformed = malformed or self.malformed

    def _late(self, result: Result, params: ControlParams, now_ns: int) -> str:
        captured = result.header.steady_ns
        if self._newest_ns is not None and captured <= self._newest_ns:
            return f"captured {(self._newest_ns - captured) / NS:.3f} s before one already here"
        age = (now_ns - captured) / NS
        return f"{age:.3f} s old on arrival, limit {params.max_age:g} s" if age > params.max_age else ""


def _too_far_ahead(result: Result, params: ControlParams, now_ns: int) -> str:
    ahead = (result.header.steady_ns - now_ns) / NS
    return f"captured {ahead:.3f} s in the future: check the clocks" if ahead > params.future_tolerance else ""
