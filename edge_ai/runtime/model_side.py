"""A model of this machine that answers everybody's frames: no frame takes another's place, and too many are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge_ai.batching.batcher import Batcher
from edge_ai.batching.fair_queue import Share
from edge_ai.batching.policy import BatchPolicy
from edge_ai.batching.ticket import Ticket
from edge_ai.core.errors import ImageError
from edge_ai.core.types import PendingFrame, Result
from edge_ai.routing.cloud.base import CloudBusyError, CloudTimeoutError
from edge_ai.routing.side import Call, Outcome, Side, Source
from edge_ai.runtime.detector import Detector

Seen = Result | ImageError


class ModelSide(Side):
    """Answers in batches, those first whose ``camera`` has the higher priority. Thread-safe.

    Args:
        model: open.
        policy: when to infer several frames at once.
        workers: inferences at once.
        capacity: frames of one camera that may wait; whoever admits requests by a limit that changes gives its most.
        shares: what each camera may have of the model.
    """

    name = "edge"
    unready = ""

    def __init__(
        self,
        model: Detector,
        policy: BatchPolicy,
        *,
        workers: int = 1,
        capacity: int = 16,
        shares: Mapping[str, Share] | None = None,
    ) -> None:
        def runner() -> Callable[[Sequence[Source]], Sequence[Seen]]:
            request = model.request(policy.max_size)

            def run(sources: Sequence[Source]) -> Sequence[Seen]:
                seen: list[Seen | None] = [None] * len(sources)
                frames = []
                for i, source in enumerate(sources):
                    try:
                        frames.append((i, source.read() if isinstance(source, PendingFrame) else source))
                    except ImageError as error:
                        seen[i] = error
                if frames:
                    results = model.detect([frame for _, frame in frames], request)
                    for (i, _), result in zip(frames, results, strict=True):
                        seen[i] = result
                return seen  # type: ignore[return-value]

            return run

        self._batcher: Batcher[Source, Seen] = Batcher(
            runner, policy, workers=workers, capacity=capacity, shares=shares
        )

    def start(self) -> None:
        """Begin; call once."""
        self._batcher.start()

    def stop(self) -> None:
        """End after what is in work; what waits is refused."""
        self._batcher.stop()

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> Call:
        """See `Side`."""
        ticket = self._batcher.submit(
            frame, source=frame.camera, deadline_ns=deadline_ns, on_done=lambda ticket: done(_outcome(ticket))
        )
        return _Cancel(ticket)

    def expected_bytes(self, frame: Source) -> float:
        """See `Side`."""
        return 0.0


class _Cancel:
    def __init__(self, ticket: Ticket[Source, Seen]) -> None:
        self._ticket = ticket

    def cancel(self) -> None:
        """Take it back; an inference that runs runs on."""
        self._ticket.cancel()


def _outcome(ticket: Ticket[Source, Seen]) -> Outcome:
    if ticket.error is not None:
        return Outcome(error=ticket.error)
    if isinstance(ticket.output, Exception):
        return Outcome(error=ticket.output)
    if ticket.output is not None:
        return Outcome(result=ticket.output)
    if ticket.reason == "expired":
        return Outcome(error=CloudTimeoutError("a request", got="too little time left for an inference"))
    if ticket.reason == "cancelled":
        return Outcome(dropped=True)
    return Outcome(error=CloudBusyError("a request", got=f"refused: {ticket.reason}", mend="try elsewhere or later"))
