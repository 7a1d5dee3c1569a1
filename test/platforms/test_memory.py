import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.memory import GIB, MIB, memory_budget


@pytest.mark.parametrize(
    ("gib", "shared", "reserved", "models", "workspace"),
    [
        (2, True, 1.2, 0.4, 0.4),
        (4, True, 1.5, 1.25, 1.25),
        (8, True, 2, 3, 3),
        (64, True, 8, 48, 8),
        (20, False, 1, 11, 8),
    ],
)
def test_shares(gib, shared, reserved, models, workspace):
    budget = memory_budget(gib * GIB, shared=shared)
    assert budget.reserved / GIB == pytest.approx(reserved, abs=0.01)
    assert budget.models / GIB == pytest.approx(models, abs=0.01)
    assert budget.workspace / GIB == pytest.approx(workspace, abs=0.01)


@given(st.integers(1, 512 * GIB), st.booleans(), st.none() | st.integers(0, 512 * GIB))
def test_nobody_gets_more_than_there_is(total, shared, available):
    budget = memory_budget(total, shared=shared, available=available)
    assert min(budget.models, budget.workspace, budget.reserved) >= 0
    assert budget.reserved + budget.models + budget.workspace <= total
    assert budget.models % MIB == budget.workspace % MIB == 0
    if available is not None:
        assert budget.workspace <= available


@given(st.integers(GIB, 256 * GIB), st.integers(0, 64 * GIB), st.booleans())
def test_more_memory_never_gives_less(total, more, shared):
    small, large = memory_budget(total, shared=shared), memory_budget(total + more, shared=shared)
    assert large.models >= small.models
    assert large.workspace >= small.workspace


def test_a_builder_does_not_take_what_others_hold():
    budget = memory_budget(8 * GIB, shared=True, available=GIB)
    assert budget.workspace == GIB // 2
    assert budget.reasons[-1] == "only 1.0 GiB are free now, so a builder gets 0.5 GiB"
    assert memory_budget(8 * GIB, shared=True, available=0).workspace == 0


@pytest.mark.parametrize(("total", "available"), [(0, None), (-1, None), (GIB, -1)])
def test_nonsense_is_refused(total, available):
    with pytest.raises(ParameterError, match="memory: got total"):
        memory_budget(total, shared=True, available=available)
