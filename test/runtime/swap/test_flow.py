"""Who may ask for what when, and what stays behind: nothing."""

import threading
import timeit

import psutil
import pytest
from swap_models import make
from under_load import Load, until

from edge_ai.core.errors import DeploymentError, EdgeAIError
from edge_ai.core.memory import free_memory
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.staging import Staging
from edge_ai.runtime.swap.status import SwapState


def test_one_update_at_a_time(opened, tmp_path, swap_params):
    swap, two = (
        opened(swap_params.changed(trial=False, probation=3600.0)),
        make(tmp_path / "two", version="2", gain=9.0),
    )
    three = make(tmp_path / "three", version="3")
    for call in (swap.switch, swap.discard, lambda: swap.roll_back("because")):
        with pytest.raises(DeploymentError, match="now: got idle"):
            call()
    staging = threading.Thread(target=swap.stage, args=(two,))
    staging.start()
    until(lambda: swap.status.state is SwapState.SHADOW)
    for call in (swap.switch, lambda: swap.stage(three), lambda: swap.roll_back("because")):
        with pytest.raises(DeploymentError, match="now: got shadow with"):
            call()
    with Load(swap).running() as load:
        staging.join()
        with pytest.raises(DeploymentError, match="cannot stage now: got ready with colours 2; wanted idle"):
            swap.stage(three)
        swap.switch()
        for call in (swap.switch, lambda: swap.stage(three), swap.discard):
            with pytest.raises(DeploymentError, match="got probation with colours 2"):
                call()
        load.wait(lambda: load.versions["2"] > 0)
        assert swap.roll_back("the operator says so").state is SwapState.IDLE
        load.more(5)
    load.check()
    assert swap.status.active == "colours 1"
    assert "the operator says so" in swap.status.message


def test_two_that_begin_at_once_are_told_apart(opened, tmp_path, swap_params, monkeypatch):
    swap, two = opened(swap_params.changed(trial=False, shadow_frames=0)), make(tmp_path / "two", version="2")
    refusals = []
    monkeypatch.setattr(swap._retiring, "wait", lambda _: refusals.append(failed(swap, two)) or "")
    swap.stage(two)
    assert "cannot stage now: got another update that begins; wanted idle" in refusals[0]
    swap.discard()
    swap.close()
    assert "the node ends" in failed(swap, two)


def test_a_staging_is_given_up_when_told_to(opened, tmp_path, swap_params):
    swap, raised = opened(swap_params.changed(trial=False)), []
    staging = threading.Thread(target=lambda: raised.append(failed(swap, make(tmp_path / "two", version="2"))))
    staging.start()
    until(lambda: swap.status.state is SwapState.SHADOW)
    swap.discard()
    staging.join(10)
    assert "it was discarded" in raised[0]
    assert swap.status.state is SwapState.IDLE


def test_a_model_that_takes_long_to_load_is_given_up_at_once(opened, tmp_path, swap_params):
    swap, raised = opened(swap_params.changed(trial=False)), []
    slow = make(tmp_path / "two", version="2", does="slow", turns=800_000)
    staging = threading.Thread(target=lambda: raised.append(failed(swap, slow)))
    staging.start()
    until(lambda: swap.status.message.startswith("loading"))
    swap.discard()
    staging.join(1)
    assert "it was discarded" in raised[0]
    assert swap._retiring.wait(0), "it is freed when it has been loaded"
    assert swap._retiring.wait(60) == ""


def test_a_model_that_nobody_switches_to_is_given_up(opened, tmp_path, swap_params):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0, ready_timeout=1.0))
    swap.stage(make(tmp_path / "two", version="2"))
    until(lambda: swap.status.state is SwapState.IDLE)
    assert "nobody switched to it" in swap.status.message


def test_no_frames_confirm_nothing(opened, tmp_path, swap_params):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0, probation=0.1))
    swap.stage(make(tmp_path / "two", version="2"))
    swap.switch()
    assert not threading.Event().wait(0.5)
    assert (swap.status.state, swap.status.progress) == (SwapState.PROBATION, 0.0)
    with Load(swap).running():
        until(lambda: swap.status.state is SwapState.IDLE)
    assert swap.status.active == "colours 2"


def test_a_node_that_ends_during_a_staging_does_not_wait_for_it(opened, tmp_path):
    swap, raised = opened(), []
    staging = threading.Thread(target=lambda: raised.append(failed(swap, make(tmp_path / "two", version="2"))))
    staging.start()
    until(lambda: swap.status.message.startswith("in another process"))
    swap.close()
    staging.join(5)
    assert "the node ends" in raised[0] or "told to stop" in raised[0]
    assert not swap.model.backend.active


def test_a_node_that_ends_during_a_probation_frees_both_models(opened, tmp_path, swap_params, caplog):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0, probation=3600.0))
    swap.stage(make(tmp_path / "two", version="2"))
    before = swap.active
    swap.switch()
    with Load(swap).running() as load:
        load.wait(lambda: load.versions["2"] > 0)
    new = swap.active
    swap.close()
    assert swap._retiring.wait(0) == ""
    assert not caplog.records
    for variants in (before, new):
        with pytest.raises(KeyError):
            assert variants.original


def test_what_is_discarded_at_the_last_moment_is_not_ready(opened, tmp_path, swap_params, monkeypatch):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0))
    run = Staging.run

    def run_and_discard(self):
        candidate = run(self)
        swap.discard()
        return candidate

    monkeypatch.setattr(Staging, "run", run_and_discard)
    assert "it was discarded" in failed(swap, make(tmp_path / "two", version="2"))
    assert swap.status.state is SwapState.IDLE


def test_who_cannot_be_told_holds_no_update_up(opened, tmp_path, swap_params, monkeypatch):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0))
    monkeypatch.setattr(swap._board, "_on_change", lambda status: status.nothing)
    swap.stage(make(tmp_path / "two", version="2"))
    swap.switch()
    with Load(swap).running():
        until(lambda: swap.status.state is SwapState.IDLE)
    assert swap.status.active == "colours 2"


def failed(swap, card):
    with pytest.raises(EdgeAIError) as caught:
        swap.stage(card)
    return str(caught.value)


def test_live_parameters_reach_both_models(opened, tmp_path, swap_params):
    swap = opened(swap_params.changed(trial=False, probation=3600.0))
    params = InferenceParams(model=str(tmp_path / "one" / "model.yaml"), warm_up=1)
    with Load(swap).running() as load:
        swap.stage(make(tmp_path / "two", version="2", gain=9.0))
        swap.update(params.changed(classes=["red"]), swap_params)
        swap.switch()
        load.wait(lambda: load.versions["2"] > 2)
        assert load.results[-1][0].classification.class_ids.tolist() == [2]
        swap.roll_back("to see")
        load.more(3)
        assert load.results[-1][0].classification.class_ids.tolist() == [2]


def test_forty_swaps_one_in_five_failing_leave_nothing_behind(opened, tmp_path, swap_params):
    """The thousand are in benchmarks/deploy/swap.py."""
    swap = opened(swap_params.changed(trial=False, shadow_frames=2, probation=0.1, probation_frames=3))
    good = [make(tmp_path / name, version=name, gain=gain) for name, gain in (("2", 9.0), ("3", 10.0))]
    bad = make(tmp_path / "4", version="4", does="nan", when="marked")
    process = psutil.Process()
    with Load(swap).running() as load:
        for number in range(40):
            if number == 10:
                settled = measured(process)
            load.marked = False
            swap.stage(bad if number % 5 == 4 else good[number % 2])
            swap.switch()
            load.marked = number % 5 == 4
            until(lambda: swap.status.state is SwapState.IDLE)
    load.check()
    assert (swap.status.switches, swap.status.rollbacks) == (40, 8)
    assert swap._retiring.wait(10) == ""
    memory, threads, files = (after - before for after, before in zip(measured(process), settled, strict=True))
    assert threads <= 0
    assert files <= 0
    assert memory < 24 << 20, f"{memory >> 20} MiB more after 30 swaps"


def measured(process):
    free_memory()
    return process.memory_info().rss, process.num_threads(), process.num_fds()


def test_a_result_costs_the_worker_microseconds(opened, tmp_path, swap_params):
    swap = opened(swap_params.changed(trial=False, shadow_frames=0, probation=3600.0))
    with Load(swap).running() as load:
        load.more(1)
    result, frame = load.results[-1]
    swap.stage(make(tmp_path / "two", version="2"))
    swap.switch()
    assert min(timeit.repeat(lambda: swap.result(result, frame), number=100, repeat=5)) / 100 < 20e-6
