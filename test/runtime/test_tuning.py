import numpy as np
import pytest
import yaml

from edge_ai.core.errors import ImageError
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.tuning import Measured, Setting, best, candidates, parameter_file, sweep


@pytest.mark.parametrize("cores", [1, 2, 3, 4, 6, 8, 12, 64])
def test_candidates_can_be_run_and_hold_what_is_usual(cores):
    found = candidates(cores)
    assert len(found) == len(set(found)) <= 60
    assert {setting.workers for setting in found} >= {1, 2}
    assert Setting(1, cores, "none") in found, "all cores for one frame"
    assert Setting(min(cores, 16), 1 if cores <= 16 else cores // 16, "none") in found, "a frame for each core"
    assert not any(setting.spinning != "none" for setting in found if setting.threads == 1), (
        "one thread has none to spin"
    )
    for setting in found:
        InferenceParams.parse(vars(setting))


def measured(workers, rate, latency, cpu, spinning="none"):
    return Measured(Setting(workers, 2, spinning), [rate], [latency], [cpu])


def test_the_best_is_the_quickest_or_the_most():
    quick, many = measured(1, 40, 0.010, 0.020), measured(2, 80, 0.025, 0.020)
    assert best([quick, many], "latency") is quick
    assert best([quick, many], "throughput") is many


def test_of_those_about_as_good_the_fewest_workers_and_then_the_cheapest():
    many, more = measured(2, 80, 0.025, 0.020), measured(3, 82, 0.036, 0.015)
    assert best([many, more], "throughput") is many
    cheap = measured(2, 79, 0.025, 0.018)
    assert best([many, more, cheap], "throughput") is cheap


def test_of_those_about_as_good_threads_that_spin_for_a_moment():
    sleeps, spins = measured(1, 80, 0.0120, 0.022), measured(1, 78, 0.0124, 0.024, "short")
    assert best([sleeps, spins], "latency") is spins
    far = measured(1, 60, 0.0170, 0.024, "short")
    assert best([sleeps, far], "latency") is sleeps


def test_a_sweep_runs_the_model_with_every_setting(make_frame):
    settings, said = [Setting(1, 1, "none"), Setting(2, 1, "none")], []
    found = sweep(
        InferenceParams(warm_up=0),
        [make_frame()],
        settings,
        seconds=0.1,
        rounds=2,
        say=lambda number, one: said.append((number, one.setting)),
    )
    assert [one.setting for one in found] == settings
    assert said == [(0, settings[0]), (0, settings[1]), (1, settings[0]), (1, settings[1])]
    for one in found:
        assert len(one.rates) == len(one.cpu_s) == 2
        assert len(one.frame_s) >= 2 * one.setting.workers
        assert min(one.frame_s) > 0


def test_what_the_model_cannot_run_is_said(make_frame):
    empty = make_frame(image=np.zeros((0, 0, 3), np.uint8))
    with pytest.raises(ImageError):
        sweep(InferenceParams(warm_up=0), [empty], [Setting(2, 1, "none")], seconds=0.1, rounds=1)


def test_the_parameter_file_is_one_for_both_nodes():
    values = yaml.safe_load(parameter_file(Setting(2, 3, "long"), "because"))
    inference = values["/**/inference"]["ros__parameters"]
    assert InferenceParams.parse(inference).threads == 3
    assert values["/**/pipeline"]["ros__parameters"]["inference"] == inference
