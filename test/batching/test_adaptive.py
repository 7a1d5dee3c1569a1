import numpy as np
import pytest

from edge_ai.batching.adaptive import AdaptivePolicy
from edge_ai.batching.policy import FixedPolicy
from edge_ai.core.clock import NS
from edge_ai.core.errors import ParameterError

MS = NS // 1000


class Simulation:
    """One engine, one queue, arrivals at random and a policy, on a clock of their own; all in nanoseconds."""

    def __init__(self, policy, takes, rate, seconds, patience=None, seed=1, disturbed=False):
        random = np.random.default_rng(seed)
        gaps = random.exponential(NS / rate, round(rate * seconds))
        self.arrivals = (NS + np.cumsum(gaps)).astype(np.int64).tolist()
        noise = random.uniform(0.95, 1.05, len(gaps))
        if disturbed:
            # A busy machine: every fourth run takes up to four times as long.
            noise *= np.where(random.random(len(gaps)) < 0.25, random.uniform(1.5, 4, len(gaps)), 1)
        self.noise = noise.tolist()
        self.policy, self.takes, self.patience = policy, takes, patience
        self.done, self.sizes, self.in_time, self.refused = [], [], 0, 0

    def run(self):
        now, waiting, left = NS, [], list(reversed(self.arrivals))

        def arrive(until):
            while left and left[-1] <= until:
                at = left.pop()
                if self.patience is not None and self.patience <= self.policy.least_ns(at):
                    self.refused += 1
                    continue
                waiting.append(at)
                self.policy.arrived(at, None if self.patience is None else at + self.patience)

        while left or waiting:
            arrive(now)
            if not waiting:
                now = left[-1] if left else now
                continue
            soonest = None if self.patience is None else waiting[0] + self.patience
            plan = self.policy.plan(now, len(waiting), waiting[0], soonest)
            if len(waiting) < plan.enough and now < plan.until_ns:
                now = min(plan.until_ns, left[-1]) if left else plan.until_ns
                continue
            now = self._serve(now, waiting, plan, arrive)
        return self

    def _serve(self, now, waiting, plan, arrive):
        batch = []
        while waiting and len(batch) < plan.size:
            at = waiting.pop(0)
            if self.patience is not None and at + self.patience <= now + plan.takes_ns:
                self.refused += 1
            else:
                batch.append(at)
        if not batch:
            return now
        took = round(self.takes(len(batch)) * self.noise[len(self.sizes) % len(self.noise)] * NS)
        now += took
        arrive(now - 1)
        self.policy.ran(len(batch), took, now)
        self.policy.tune()
        self.sizes.append(len(batch))
        self.done += [(now - at) / NS for at in batch]
        self.in_time += sum(self.patience is None or now - at <= self.patience for at in batch)
        return now

    @property
    def mean(self):
        # From the second half, once things are known.
        return float(np.mean(self.done[len(self.done) // 2 :]))


def gains(size):
    return 0.008 + 0.0005 * size


def gains_nothing(size):
    return 0.0001 + 0.008 * size


FIXED = [(1, 0.0), *((size, wait) for size in (2, 4, 8, 16) for wait in (0.0, 0.002, 0.005, 0.010))]


@pytest.mark.parametrize("takes", [gains, gains_nothing])
@pytest.mark.parametrize(("load", "disturbed"), [(0.1, False), (0.5, False), (0.85, False), (0.1, True), (0.4, True)])
def test_its_mean_time_is_within_five_percent_of_the_best_fixed_one(takes, load, disturbed):
    rate = load * max(16 / takes(16), 1 / takes(1))
    own = Simulation(AdaptivePolicy(16), takes, rate, 40, disturbed=disturbed).run().mean
    others = [Simulation(FixedPolicy(*fixed), takes, rate, 40, disturbed=disturbed).run().mean for fixed in FIXED]
    assert own <= 1.05 * min(others)


class Moody(Simulation):
    """The engine is four times slower for a while, now and then."""

    def _serve(self, now, waiting, plan, arrive):
        phases = np.cumsum(np.random.default_rng(7).exponential(0.7, 200))
        self.noise = [4.0 if np.searchsorted(phases, (now - NS) / NS) % 2 else 1.0]
        return super()._serve(now, waiting, plan, arrive)


@pytest.mark.parametrize(("takes", "bound"), [(gains, 1.05), (gains_nothing, 1.1)])
@pytest.mark.parametrize("load", [0.1, 0.3])
def test_a_machine_that_others_use_hardly_misleads_it(takes, bound, load):
    """Where batches gain nothing, trying them now and then in such a time costs some per cent more."""
    rate = load * max(16 / takes(16), 1 / takes(1))
    own = Moody(AdaptivePolicy(16), takes, rate, 60).run().mean
    assert own <= bound * min(Moody(FixedPolicy(*fixed), takes, rate, 60).run().mean for fixed in FIXED)


@pytest.mark.parametrize(
    ("load", "disturbed"), [(0.5, False), (0.95, False), (1.5, False), (0.4, True), (0.7, True), (1.2, True)]
)
def test_it_meets_as_many_deadlines_as_the_best_fixed_one(load, disturbed):
    rate, options = load * 16 / gains(16), {"patience": 60 * MS, "disturbed": disturbed}
    own = Simulation(AdaptivePolicy(16), gains, rate, 20, **options).run().in_time
    fixed = [Simulation(FixedPolicy(*fixed), gains, rate, 20, **options).run().in_time for fixed in FIXED]
    assert own >= max(fixed) / 1.05


def test_deadlines_too_tight_for_the_largest_batches_are_met_with_smaller_ones():
    rate, options = 0.5 * 16 / gains(16), {"patience": 20 * MS}
    own = Simulation(AdaptivePolicy(16), gains, rate, 20, **options).run().in_time
    fixed = [Simulation(FixedPolicy(size), gains, rate, 20, **options).run().in_time for size in range(1, 17)]
    assert own >= max(fixed) / 1.05


def test_it_runs_one_by_one_where_batches_gain_nothing():
    run = Simulation(AdaptivePolicy(8), gains_nothing, 60, 60).run()
    assert run.sizes[-200:].count(1) >= 190
    assert max(run.sizes) > 1  # it has tried


def test_it_notices_that_the_engine_has_changed():
    policy = AdaptivePolicy(8)
    Simulation(policy, gains_nothing, 60, 20).run()
    assert policy.control[4] <= 2
    later = Simulation(policy, gains, 60, 200)
    later.arrivals = [at + 30 * NS for at in later.arrivals]
    later.run()
    assert policy.control[4] == 4


def taught(takes, largest, rate=0):
    """A policy that knows all sizes, and the steady time when it last ran."""
    policy, now = AdaptivePolicy(largest), NS
    for size in 3 * [*range(1, largest + 1)]:
        now += MS
        policy.ran(size, round(takes(size) * NS), now)
        policy.tune()
    # It is not tuned again within half a second.
    now += 600 * MS
    for number in range(100 if rate else 0):
        policy.arrived(now - (100 - number) * NS // rate, None)
    policy.ran(1, round(takes(1) * NS), now)
    policy.tune()
    return policy, now


def test_deadlines_make_batches_smaller_while_the_engine_keeps_up():
    policy, now = taught(lambda size: 0.008 + 0.002 * size, 8)
    assert policy.plan(now, 8, now, None).size == 8
    assert policy.plan(now, 8, now, now + 20 * MS).size == 6


def test_and_no_smaller_where_it_would_not():
    policy, now = taught(lambda size: 0.008 + 0.002 * size, 8, 320)
    assert policy.plan(now, 8, now, now + 20 * MS).size == 8


def test_after_a_silence_nothing_is_refused_on_old_knowledge():
    policy = AdaptivePolicy(8)
    policy.ran(1, 900 * MS, NS)
    assert policy.least_ns(NS + 1) == 900 * MS
    assert policy.plan(NS + 1, 1, NS, 2 * NS).takes_ns == 900 * MS
    assert policy.least_ns(3 * NS) == 0
    assert policy.plan(3 * NS, 1, 3 * NS, 4 * NS).takes_ns == 0


def test_a_wait_ends_although_nothing_comes_and_in_time_for_a_deadline():
    policy, now = taught(lambda size: 0.010, 4, 360)
    plan = policy.plan(now, 1, now, None)
    assert 1 < plan.enough == plan.size <= 4
    assert now < plan.until_ns <= now + 10 * MS
    late = policy.plan(plan.until_ns, 1, now, None)
    assert late.until_ns <= plan.until_ns
    assert now < policy.plan(now, 1, now, now + 15 * MS).until_ns <= now + 5 * MS


def test_nothing_known_yet_starts_small():
    assert AdaptivePolicy(16).plan(NS, 10, NS, None).size == 1


def test_nonsense_is_refused():
    with pytest.raises(ParameterError, match="batch"):
        AdaptivePolicy(0)
