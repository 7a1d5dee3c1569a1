"""Timing in turns."""

import numpy as np
import pytest

from edge_ai.core.errors import ModelError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.optimization.judging.energy import EnergyMeter
from edge_ai.optimization.judging.measure import Measured, answers, measure, open_model
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card


def ran(*rounds):
    return Measured("m", 1, [list(r) for r in rounds], [0.004, 0.002, 0.003])


def test_the_median_of_the_rounds_counts_and_not_a_disturbed_one():
    steady = ran([0.010], [0.010], [0.500])
    assert steady.latency_ms.value == pytest.approx(10)
    assert steady.latency_ms.low <= 10 <= steady.latency_ms.high
    assert steady.cpu_ms == pytest.approx(3)
    assert steady.percentile(100) == pytest.approx(500)


def test_speed_is_compared_within_a_round():
    slow_machine_halfway = ran([0.010], [0.040], [0.010]), ran([0.005], [0.020], [0.005])
    speedup = slow_machine_halfway[1].speedup(slow_machine_halfway[0])
    assert (speedup.value, speedup.low, speedup.high) == pytest.approx((2, 2, 2))


@pytest.fixture(scope="module")
def model():
    found = open_model(ModelCard.load(shipped_card()))
    yield found
    found.close()


@pytest.fixture
def frame():
    return Frame(FrameHeader(0, 0, "", 7, 320, 240), np.full((240, 320, 3), 90, np.uint8))


def test_everyone_has_every_round_and_real_times(model, frame):
    told = []
    found = measure(
        {"a": model, "b": model}, frame, rounds=3, turn_s=0.01, progress=lambda *step: told.append(step[1:])
    )
    assert told == [(i, 6) for i in range(1, 7)]
    for one in found.values():
        assert len(one.rounds) == 3
        assert len(one.cpu_s) == 3
        assert one.size == model.card.model_path.stat().st_size
        assert all(0 < seconds < 60 for turn in one.rounds for seconds in turn)


def test_answers_go_by_the_id_of_the_picture(model, frame):
    found = answers(model, [frame], {7: 4711})
    assert list(found) == [4711]
    assert found[4711].model_name == model.card.name


def test_a_model_that_is_not_the_one_on_its_card_is_refused(tmp_path):
    card = ModelCard.load(shipped_card())
    (tmp_path / "m.onnx").write_bytes(b"other")
    other = ModelCard.parse({**card.model_dump(mode="json"), "file": "m.onnx"}, folder=tmp_path, owner="test")
    with pytest.raises(ModelError, match="sha256"):
        open_model(other)


def test_energy_is_the_sum_of_the_packages(tmp_path):
    domains = (
        ("0", "package-0", 3_000_000),
        ("0:0", "core", 1_000_000),
        ("1", "package-1", 500_000),
        ("2", "psys", 9_000_000),
    )
    for number, name, energy in domains:
        folder = tmp_path / f"intel-rapl:{number}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text(f"{energy}\n")
    assert EnergyMeter(tmp_path).joules() == pytest.approx(3.5)


def test_no_meter_is_no_figure(tmp_path):
    assert EnergyMeter(tmp_path).joules() is None
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "name").write_text("package-0")
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("?")
    assert EnergyMeter(tmp_path).joules() is None
    assert ran([1]).energy_mj is None
