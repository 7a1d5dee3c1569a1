"""A circuit breaker: leaves a server in trouble alone, tries it now and then, and comes back to it slowly."""

from __future__ import annotations

import random
import threading

from edge_ai.core.clock import NS, Clock

_MOST_DOUBLINGS = 60


class Breaker:
    """Says whether a request may be sent, from how the last ones went. Thread-safe; never raises.

    closed: all may go. After ``failures`` failures in a row it is open: none may go, for a pause drawn by "full jitter"
    (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015)::

        pause_n = uniform(0, min(longest, pause * 2**n))        n: failed trials since the last full recovery

    so that robots which lost a server in the same moment do not try it in the same moment. Then it is half-open: one
    request at a time goes as a trial. A failed trial opens it again with ``n + 1``; a good one lets it recover: at
    time ``t`` after it a request goes with probability ``t / ramp``, until all do and it is closed. ``failures``
    failures in a row while it recovers open it again with ``n + 1``.

    Each request that was admitted ends with one call of `success`, `failure` or `abandoned`. A request that was given
    up because it was late has failed: told as abandoned, a server that swallows everything would be asked for ever.
    Outcomes may say when their request was sent (``sent_ns``, steady time): what was sent before it last opened then
    says nothing about now, and a straggler cannot be taken for the trial.

    Args:
        failures: in a row that open it, at least 1.
        pause: longest first pause, seconds.
        longest: longest pause of all, seconds.
        ramp: seconds from a good trial until all requests go; 0: at once.
        clock: for steady time.
        rng: for pauses and the ramp; each robot needs its own seed.
        trial_timeout: seconds after which a trial without outcome counts as lost and another may go; None: ``pause``.
            May be set at any time.
    """

    def __init__(
        self,
        failures: int,
        pause: float,
        longest: float,
        ramp: float,
        clock: Clock,
        rng: random.Random,
        trial_timeout: float | None = None,
    ) -> None:
        self._failures, self._pause, self._longest, self._ramp = max(1, failures), pause, longest, max(0.0, ramp)
        self.trial_timeout = pause if trial_timeout is None else trial_timeout
        self._clock, self._rng, self._lock = clock, rng, threading.Lock()
        self._state = "closed"
        self._since = clock.steady_ns()  # of this state
        self._until = 0  # open: end of the pause. recovering: end of the ramp. half-open: when the trial counts as lost
        self._in_a_row = self._failed_trials = self._opened = 0
        self._last = ""
        self._opened_ns: int | None = None

    def admits(self) -> bool:
        """Whether a request may be sent now; if so its outcome must be told."""
        with self._lock:
            now = self._advance()
            if self._state == "closed":
                return True
            if self._state == "open":
                return False
            if self._state == "recovering":
                return self._rng.random() < self._share(now)
            if now < self._until:
                return False
            self._until = now + round(self.trial_timeout * NS)
            return True

    def success(self, sent_ns: int | None = None) -> None:
        """A request was answered as it should, in time."""
        with self._lock:
            now = self._advance()
            if self._stale(sent_ns) or self._state == "open":
                return
            self._in_a_row = 0
            if self._state == "half-open":
                self._to("recovering", now, until=now + round(self._ramp * NS))
                self._advance()

    def failure(self, why: str, sent_ns: int | None = None) -> None:
        """A request failed, or was late, through the server's or the link's fault.

        Args:
            why: in words.
            sent_ns: steady time when it was sent; None: not known, taken as sent in the present state.
        """
        with self._lock:
            now = self._advance()
            if self._stale(sent_ns) or self._state == "open":
                return
            self._in_a_row += 1
            self._last = why
            if self._state == "half-open" or self._in_a_row >= self._failures:
                self._failed_trials += self._state != "closed"
                self._open(now)

    def abandoned(self, sent_ns: int | None = None) -> None:
        """An admitted request ended without saying anything of the server: never sent, or no longer needed."""
        with self._lock:
            now = self._advance()
            if self._state == "half-open" and not self._stale(sent_ns):
                self._until = now

    @property
    def state(self) -> str:
        """closed, open, half-open or recovering."""
        with self._lock:
            self._advance()
            return self._state

    @property
    def ready(self) -> bool:
        """Whether `admits` may say yes now; changes nothing, admits nothing."""
        with self._lock:
            now = self._advance()
            return self._state in ("closed", "recovering") or (self._state == "half-open" and now >= self._until)

    @property
    def why(self) -> str:
        """Why not all requests go, with the seconds to the next change; empty when closed."""
        with self._lock:
            now = self._advance()
            seconds = max(0, self._until - now) / NS
            if self._state == "open":
                return f"left alone, next trial in {seconds:.1f} s, after: {self._last}"
            if self._state == "half-open":
                return f"{'a trial is under way' if seconds else 'a trial is due'}, after: {self._last}"
            if self._state == "recovering":
                return f"recovering, {100 * self._share(now):.0f} % of the requests go, all in {seconds:.1f} s"
            return ""

    @property
    def opened(self) -> int:
        """How often it opened so far, failed trials included."""
        with self._lock:
            return self._opened

    def _advance(self) -> int:
        """Do what the passing of time does; what it is now, steady ns."""
        now = self._clock.steady_ns()
        if self._state == "open" and now >= self._until:
            self._to("half-open", now, until=now)
        elif self._state == "recovering" and now >= self._until:
            self._failed_trials = 0
            self._last = ""
            self._to("closed", self._since, until=now)
        return now

    def _open(self, now: int) -> None:
        ceiling = min(self._longest, self._pause * 2.0 ** min(self._failed_trials, _MOST_DOUBLINGS))
        self._opened += 1
        self._in_a_row = 0
        self._opened_ns = now
        self._to("open", now, until=now + round(self._rng.uniform(0.0, ceiling) * NS))

    def _to(self, state: str, since: int, until: int) -> None:
        self._state, self._since, self._until = state, since, until

    def _share(self, now: int) -> float:
        whole = self._until - self._since
        return (now - self._since) / whole if whole > 0 else 1.0

    def _stale(self, sent_ns: int | None) -> bool:
        return sent_ns is not None and self._opened_ns is not None and sent_ns <= self._opened_ns
