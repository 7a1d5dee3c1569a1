"""A new model takes the place of one that serves, under load, and good or bad, no frame is lost or answered twice."""

import pytest
from swap_models import make
from under_load import Load, until

from edge_ai.core.errors import DeploymentError
from edge_ai.runtime.swap import hot_swap as swap_module
from edge_ai.runtime.swap.status import SwapState


@pytest.mark.parametrize("workers", [1, 2])
def test_a_good_model_takes_over_and_stays(opened, tmp_path, workers):
    swap = opened()
    with Load(swap, workers).running() as load:
        status = swap.stage(make(tmp_path / "two", version="2", gain=9.0))
        assert status.state is SwapState.READY
        assert status.candidate == "colours 2"
        assert [check.name for check in status.checks] == ["admission", "trial", "latency", "shadow"]
        assert set(load.versions) == {"1"}
        assert swap.switch().state is SwapState.PROBATION
        load.wait(lambda: load.versions["2"] > 0)
        until(lambda: swap.status.state is SwapState.IDLE)
        load.more(10)
    load.check()
    assert load.results[-1][0].model_version == "2"
    assert (swap.status.active, swap.status.candidate) == ("colours 2", "")
    assert (swap.status.switches, swap.status.rollbacks) == (1, 0)
    assert "proved itself" in swap.status.message
    assert swap.status.checks[-1].name == "probation"
    states = list(dict.fromkeys(status.state for status in swap.told))
    assert states == [SwapState.IDLE, *list(SwapState)[1:]]


def _fault(name, words):
    return pytest.param(name, words, id=name)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        _fault("nan", "NaN"),
        _fault("raise", "it failed on"),
        _fault("turned", "drift"),
        _fault("constant", "drift"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_after_the_switch_is_answered_by_the_model_before_and_taken_back(
    opened, tmp_path, does, words, workers
):
    """Good on all frames until it answers."""
    swap = opened()
    with Load(swap, workers).running() as load:
        swap.stage(make(tmp_path / "two", version="2", does=does, when="marked"))
        swap.switch()
        load.marked = True
        until(lambda: swap.status.state is SwapState.IDLE)
        load.marked = False
        load.more(10)
    assert not load.errors
    assert len({frame.header.index for _, frame in load.results}) == len(load.results)
    if "drift" not in words:
        load.check()
    assert load.results[-1][0].model_version == "1"
    assert (swap.status.active, swap.status.rollbacks) == ("colours 1", 1)
    assert words in swap.status.message


def test_a_model_that_hangs_after_the_switch_holds_up_no_frame_for_long(opened, swap_params, tmp_path, monkeypatch):
    monkeypatch.setattr(swap_module, "_PATIENCE", 0.2)
    swap = opened(swap_params.changed(deadline=0.3))
    with Load(swap).running() as load:
        swap.stage(make(tmp_path / "two", version="2", does="slow", when="marked", turns=1_000_000))
        swap.switch()
        load.marked = True
        until(lambda: swap.status.state is SwapState.IDLE)
        load.more(10)
        with pytest.raises(DeploymentError, match="an inference still hangs"):
            swap.stage(make(tmp_path / "three", version="3"))
    load.check()
    assert "it hangs" in swap.status.message or "still hangs" in swap.status.message
    assert load.results[-1][0].model_version == "1"
    assert swap._retiring.wait(60) == "", "it is freed when it has ended after all"
