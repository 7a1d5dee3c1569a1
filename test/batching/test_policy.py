import pytest

from edge_ai.batching.policy import FixedPolicy, Plan
from edge_ai.core.errors import ParameterError


def test_a_batch_is_full_or_its_first_item_has_waited():
    assert FixedPolicy(4, 0.01).plan(5_000_000, 1, 1_000_000, None) == Plan(4, 4, 11_000_000)


def test_a_deadline_is_not_waited_past():
    assert FixedPolicy(4, 0.01).plan(5_000_000, 1, 1_000_000, 7_000_000).until_ns < 7_000_000


def test_by_default_one_at_a_time():
    policy = FixedPolicy()
    assert policy.max_size == 1
    assert policy.plan(5, 1, 5, None) == Plan(1, 1, 5)


@pytest.mark.parametrize(("size", "wait"), [(0, 0), (1, -0.1), (1, float("nan"))])
def test_nonsense_is_refused(size, wait):
    with pytest.raises(ParameterError, match="batch"):
        FixedPolicy(size, wait)
