"""What a run says: latencies, shares, load, and whether a fleet swings, moves in step or storms its servers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_ai.fleet.simulation import Run
from edge_ai.fleet.tally import BIN_S, Asked, End

Series = NDArray[np.float64]
_BAND = 0.1
"""A share of the cloud must turn by this much to count as a swing."""


@dataclass(frozen=True)
class Summary:
    """One run in figures; NaN: there was nothing to measure. Steady: after the warm-up, before an outage or rush.

    Attributes:
        frames: captured over all.
        p50: latency of the answers, capture to answer, steady, s; p95 and p99 likewise.
        cloud: share of the frames asked of the cloud first, steady.
        cloud_answers: share of the answers that are the cloud's, steady.
        missed: share of the frames without an answer in time, steady.
        dropped: share of the frames given up for newer ones, steady.
        missed_outage: as missed, during the outage.
        dropped_outage: as dropped, during the outage.
        load: share of the time that the servers work, steady.
        refused: share of the requests that servers refuse, steady.
        swings: swings of the cloud's share a minute, steady.
        rhythm: highest autocorrelation of that share after it first fell below 0, steady.
        in_step: mean correlation between what two robots do at the same time, steady.
        outage_requests: requests a second during the outage after its first 3 s, as a share of the steady ones.
        storm: most requests in half a second after the outage, over the most in as long before it.
        overload: most requests in half a second after the outage, over what the servers can answer.
        recovery: s from the end of the outage until the cloud's share is at 90 % of the steady one.
    """

    frames: int
    p50: float
    p95: float
    p99: float
    cloud: float
    cloud_answers: float
    missed: float
    dropped: float
    missed_outage: float
    dropped_outage: float
    load: float
    refused: float
    swings: float
    rhythm: float
    in_step: float
    outage_requests: float
    storm: float
    overload: float
    recovery: float


def summarize(run: Run) -> Summary:
    """All figures of a run."""
    params, frames = run.params, run.frames
    begin, end = params.steady
    within = (frames["captured"] >= begin) & (frames["captured"] < end)
    ends = frames["end"][within]
    out = (frames["captured"] >= params.outage_start) & (frames["captured"] < params.outage_end)
    lost = frames["end"][out]
    answered = frames["latency"][within]
    answered = answered[~np.isnan(answered)]
    p50, p95, p99 = (float(one) for one in np.percentile(answered, [50, 95, 99])) if len(answered) else (math.nan,) * 3
    times, share, _ = cloud_share(run)
    steady = (times >= begin) & (times + BIN_S <= end)
    bins = slice(math.ceil(begin / BIN_S), int(end / BIN_S))
    arrivals = run.counts["arrivals"][bins].sum()
    after = _after_outage(run, float(arrivals) / max(1, bins.stop - bins.start))
    return Summary(
        frames=len(frames["end"]),
        p50=p50,
        p95=p95,
        p99=p99,
        cloud=_share(frames["asked"][within] == Asked.CLOUD),
        cloud_answers=_share(ends[(ends == End.EDGE) | (ends == End.CLOUD)] == End.CLOUD),
        missed=_share(ends == End.MISSED),
        dropped=_share(ends == End.DROPPED),
        missed_outage=_share(lost == End.MISSED),
        dropped_outage=_share(lost == End.DROPPED),
        load=float(run.counts["work"][bins].sum()) / (run.servers * (bins.stop - bins.start) * BIN_S),
        refused=float(run.counts["refusals"][bins].sum() / arrivals) if arrivals else math.nan,
        swings=swings(share[steady], _noise(run)) / (end - begin) * 60,
        rhythm=rhythm(share[steady]),
        in_step=in_step(run),
        **after,
    )


def cloud_share(run: Run) -> tuple[Series, Series, Series]:
    """By bins of half a second: begin (s), share of the frames asked of the cloud first, and answered by it."""
    params = run.params
    edges = np.arange(0, params.horizon + BIN_S / 2, BIN_S)
    captured = run.frames["captured"]
    all_frames = np.histogram(captured, edges)[0]
    asked = np.histogram(captured[run.frames["asked"] == Asked.CLOUD], edges)[0]
    answered = np.histogram(captured[run.frames["end"] == End.CLOUD], edges)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return edges[:-1], asked / all_frames, answered / all_frames


def swings(share: Series, noise: float = 0.0) -> int:
    """Turns of a series, each at least 0.1 and four times the noise high."""
    band, turns = max(_BAND, 4 * math.sqrt(2) * noise), 0
    share = share[~np.isnan(share)]
    if not len(share):
        return 0
    low = high = float(share[0])
    direction = 0
    for value in map(float, share[1:]):
        # Going up, the last high is what a turn is measured from; going down, the last low; at first both.
        high = max(high, value) if direction >= 0 else high
        low = min(low, value) if direction <= 0 else low
        if direction >= 0 and high - value >= band:
            turns += direction > 0
            direction, low = -1, value
        elif direction <= 0 and value - low >= band:
            turns += direction < 0
            direction, high = 1, value
    return turns


def rhythm(share: Series) -> float:
    """Highest autocorrelation after the first lag at which it is below 0; near 1: the series repeats itself."""
    share = share[~np.isnan(share)]
    if len(share) < 8 or np.std(share) < 1e-12:
        return math.nan
    centred = share - share.mean()
    full = np.correlate(centred, centred, "full")[len(centred) - 1 :]
    # Longer lags have fewer products: each is divided by its own number, up to half of the series.
    auto = full[: len(full) // 2] / full[0] * len(full) / np.arange(len(full), len(full) - len(full) // 2, -1)
    below = np.flatnonzero(auto < 0)
    return float(auto[below[0] :].max()) if len(below) else 0.0


def in_step(run: Run) -> float:
    """Mean correlation between the shares of two robots over time: 0 each for itself, 1 all in step.

    With S the mean over robots, and v the mean of their variances, it is (Var(S) - v/N) / (v - v/N). What changes
    steadily, as estimates do that are still being learned, is taken out before.
    """
    params, (begin, end) = run.params, run.params.steady
    width = max(1.0, 2 / params.simulated_rate)
    bins = int((end - begin) / width)
    if bins < 3 or params.robots < 2:
        return math.nan
    within = (run.frames["captured"] >= begin) & (run.frames["captured"] < begin + bins * width)
    column = ((run.frames["captured"][within] - begin) / width).astype(int)
    at = run.frames["robot"][within].astype(np.int64) * bins + column
    total = np.bincount(at, minlength=params.robots * bins).astype(float)
    cloud = np.bincount(at, (run.frames["asked"][within] == Asked.CLOUD).astype(float), params.robots * bins)
    shares = _without_trend((cloud / np.maximum(total, 1)).reshape(params.robots, bins))
    each = float(shares.var(axis=1).mean())
    if each == 0:
        return math.nan
    alone = each / params.robots
    return (float(shares.mean(axis=0).var()) - alone) / (each - alone)


def _without_trend(rows: Series) -> Series:
    """Each row less the straight line that fits it best."""
    time = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    slope = rows @ time / (time @ time)
    trend: Series = rows - rows.mean(axis=1, keepdims=True) - slope[:, None] * time
    return trend


def _after_outage(run: Run, steady: float) -> dict[str, float]:
    params, arrivals = run.params, run.counts["arrivals"]
    nothing = dict.fromkeys(("outage_requests", "storm", "overload", "recovery"), math.nan)
    if not params.has_outage or params.outage_end >= params.horizon or steady <= 0:
        return nothing
    during = slice(math.ceil((params.outage_start + 3) / BIN_S), int(params.outage_end / BIN_S))
    usual = slice(math.ceil(params.steady[0] / BIN_S), int(params.steady[1] / BIN_S))
    peak = float(arrivals[int(params.outage_end / BIN_S) : int(params.horizon / BIN_S)].max())
    times, share, _ = cloud_share(run)
    before = share[(times >= params.steady[0]) & (times + BIN_S <= params.steady[1])]
    back = np.flatnonzero((times >= params.outage_end) & (share >= 0.9 * np.nanmean(before)))
    return {
        "outage_requests": float(arrivals[during].mean()) / steady if during.stop > during.start else math.nan,
        "storm": peak / float(arrivals[usual].max()),
        "overload": peak / (run.capacity * BIN_S),
        "recovery": float(times[back[0]]) - params.outage_end if len(back) else math.nan,
    }


def _noise(run: Run) -> float:
    """Standard deviation that chance alone gives the share in a bin."""
    return 0.5 / math.sqrt(max(1.0, run.params.robots * run.params.simulated_rate * BIN_S))


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean()) if len(of) else math.nan
