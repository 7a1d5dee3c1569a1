"""The best thing to do for each number of items that wait: run so many, or wait for one more.

Items arrive at random (Poisson) and a batch of n takes a known time: a bulk service queue, whose control is a
semi-Markov decision process. The control that makes the mean time from arrival to result least is found by policy
iteration (Puterman: Markov Decision Processes, 1994, section 11.4; Deb and Serfozo: Optimal control of batch service
queues, 1973, prove that it waits below some number and serves from there on). By Little's law the mean time is least
where the mean number of items in the system is, so that number is the cost rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BUSIEST = 0.95
"""Above this share of what the engine can do, the arrivals are taken to be so many: else no control would be stable."""
WORTH = 0.02
"""What is to be better than running all that waits at once has to gain this share of the mean time: the times are
estimates, and waiting is sure to cost some."""
_ROUNDS = 12


def best_control(rate: float, seconds: Floats) -> Ints:
    """How many to run, for each number that waits.

    Args:
        rate: arrivals a second.
        seconds: what a batch takes, by size from 0 to N; (N + 1,).

    Returns:
        (M + 1,) sizes from 0 (wait for one more) to N, for 0 to M waiting; where more wait, the last holds.
    """
    largest = len(seconds) - 1
    states = max(2 * largest, largest + 24)
    waiting = np.arange(states + 1)
    rates = np.arange(1, largest + 1) / seconds[1:]
    # The largest that is about as good as any.
    fastest = int(np.flatnonzero(rates >= (1 - WORTH) * rates.max())[-1]) + 1
    rate = min(rate, BUSIEST * float(rates[fastest - 1]))
    if rate <= 0 or largest == 1:
        return np.minimum(waiting, largest)
    actions = [_serve(np.minimum(waiting, largest), rate, seconds)]
    actions += [_serve(np.where(waiting >= size, size, 0), rate, seconds) for size in _sizes(largest)]
    actions += [_serve(np.minimum(waiting, fastest), rate, seconds), _wait(rate, states)]
    # More than this many do not wait in the model, which would else be glad to turn them away: there it is to hurry.
    crowded = waiting > states - (states - largest) // 2
    chosen = np.where(crowded, len(actions) - 2, 0)
    chosen[0] = len(actions) - 1
    cost = _evaluate(actions, chosen)[1]
    # First in which sizes, then whether to wait for more.
    for usable, settled in ((len(actions) - 1, crowded | (waiting == 0)), (len(actions), crowded)):
        other, less = _improve(actions, usable, chosen, settled)
        if less < (1 - WORTH) * cost:
            chosen, cost = other, less
    return np.array([actions[index].sizes[number] for number, index in enumerate(chosen)])


@dataclass(frozen=True)
class _Action:
    """What may be done, by what waits before; each is of length M + 1.

    Attributes:
        sizes: how many to run; 0: wait for one more.
        moves: (M + 1, M + 1) chances of what waits afterwards.
        lasts: seconds until then.
        costs: items in the system times seconds, until then; infinite where it cannot be done.
    """

    sizes: Ints
    moves: Floats
    lasts: Floats
    costs: Floats

    def worth(self, values: Floats, mean: float) -> Floats:
        """(M + 1,) What remains to be paid above the mean."""
        return np.asarray(self.costs - mean * self.lasts + self.moves @ values)


def _sizes(largest: int) -> list[int]:
    """All sizes up to 8, then steps of about a fifth."""
    sizes = [1]
    while sizes[-1] < largest:
        sizes.append(min(largest, max(sizes[-1] + 1, round(sizes[-1] * 1.2))))
    return sizes


def _serve(sizes: Ints, rate: float, seconds: Floats) -> _Action:
    waiting, lasts = np.arange(len(sizes)), seconds[sizes]
    arrivals = {int(size): _poisson(rate * float(seconds[size]), len(sizes) - 1) for size in np.unique(sizes) if size}
    moves = np.zeros((len(sizes), len(sizes)))
    for number, size in enumerate(sizes):
        if size:
            rest = number - size
            moves[number, rest:] = arrivals[int(size)][: len(sizes) - rest]
            moves[number, -1] += max(0.0, 1.0 - float(moves[number].sum()))
    costs = np.where(sizes > 0, waiting * lasts + rate * lasts**2 / 2, np.inf)
    return _Action(sizes, moves, lasts, costs)


def _wait(rate: float, states: int) -> _Action:
    waiting = np.arange(states + 1)
    costs = np.where(waiting < states, waiting / rate, np.inf)
    return _Action(np.zeros_like(waiting), np.eye(states + 1, k=1), np.full(states + 1, 1 / rate), costs)


def _poisson(mean: float, most: int) -> Floats:
    """Chances of 0 to ``most`` events."""
    counts = np.arange(1, most + 1)
    return np.asarray(np.exp(np.concatenate([[0.0], np.cumsum(np.log(mean) - np.log(counts))]) - mean))


def _improve(actions: list[_Action], usable: int, chosen: Ints, settled: NDArray[np.bool_]) -> tuple[Ints, float]:
    """The best of the first ``usable`` actions for every number that waits, and the mean cost rate with them.

    Args:
        actions: all there are.
        usable: how many of them to choose from.
        chosen: what to begin with.
        settled: where that stays.
    """
    waiting = np.arange(len(chosen))
    for _ in range(_ROUNDS):
        values, mean = _evaluate(actions, chosen)
        worth = np.stack([action.worth(values, mean) for action in actions])
        best = worth[:usable].argmin(axis=0)
        # What is as good as before stays, or rounding would keep it going round.
        stays = worth[chosen, waiting] <= worth[best, waiting] + 1e-9 * np.abs(values).max()
        better = np.where(settled | stays, chosen, best)
        if np.array_equal(better, chosen):
            break
        chosen = better
    return chosen, _evaluate(actions, chosen)[1]


def _evaluate(actions: list[_Action], chosen: Ints) -> tuple[Floats, float]:
    """The relative values (M + 1,) of a control and its mean cost rate."""
    moves = np.stack([actions[index].moves[number] for number, index in enumerate(chosen)])
    lasts = np.array([actions[index].lasts[number] for number, index in enumerate(chosen)])
    costs = np.array([actions[index].costs[number] for number, index in enumerate(chosen)])
    # h = costs - mean * lasts + moves h with h[0] = 0, so that h[0]'s column is free for the mean.
    system = np.eye(len(chosen)) - moves
    system[:, 0] = lasts
    solved = np.linalg.solve(system, costs)
    values = solved.copy()
    values[0] = 0.0
    return values, float(solved[0])
