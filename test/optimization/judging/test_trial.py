"""A trial: labels or agreement, and pictures to calibrate on that nobody is judged on."""

import dataclasses
import json

import pytest

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.optimization.judging.budget import Budget
from edge_ai.optimization.judging.trial import Job, Trial, Variant
from edge_ai.processing.card import ModelCard


@pytest.fixture
def job(colour_data):
    card, pictures, labels = colour_data
    return Job(ModelCard.load(card), str(pictures), labels, Budget(), rounds=3)


def test_the_original_is_judged_by_the_labels(job):
    trial = Trial(job)
    assert len(trial.shots) == 30
    found = trial.compare(job.card)
    assert (found.metric, found.agreement, found.loss.value) == ("top-1", False, 0)
    assert found.before.value == 1.0


def test_without_labels_its_own_answers_are_right(job):
    trial = Trial(dataclasses.replace(job, labels=None, pictures=10))
    assert len(trial.shots) == 10
    found = trial.compare(job.card)
    assert (found.agreement, found.before.value, found.after.value) == (True, 1.0, 1.0)


def test_calibration_keeps_away_from_what_is_judged(job):
    trial = Trial(dataclasses.replace(job, labels=None, pictures=10, calibration=8))
    feeds = trial.feeds()
    assert [list(feed) for feed in feeds()] == [["image"]] * 8
    assert [next(iter(feed.values())).shape for feed in feeds()] == [(1, 3, 48, 48)] * 8
    assert not trial.shared
    assert len(list(feeds())) == 8, "again from the start"
    few = Trial(dataclasses.replace(job, labels=None, pictures=100, calibration=10))
    few.feeds()
    assert (len(few.shots), few.calibrated, few.shared) == (20, 10, False), "some are kept for it"
    everything = Trial(job)
    everything.feeds()
    assert everything.shared, "all pictures are labelled, so they have to do, and the report says so"


def test_variants_are_judged_beside_the_original(job):
    judged = Trial(job).judge([Variant("twin", "fp32", job.card)])
    assert [one.variant.name for one in judged] == ["original", "twin"]
    assert judged[1].comparison.loss.value == 0
    assert len(judged[0].measured.rounds) == len(judged[1].measured.rounds) == 3


def test_labels_of_something_else_are_refused(job, tmp_path):
    labels = json.loads(job.labels.read_text())
    for image in labels["images"]:
        image["file_name"] = f"other_{image['file_name']}"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(EdgeAIError, match="none of the 30 labelled pictures"):
        Trial(dataclasses.replace(job, labels=tmp_path / "labels.json"))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"images": []}'])
def test_a_wrong_label_file_is_refused(job, tmp_path, content):
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(EdgeAIError, match=r"labels\.json"):
        Trial(dataclasses.replace(job, labels=tmp_path / "labels.json"))


@pytest.mark.parametrize(
    ("name", "option"), [("pictures", "--pictures"), ("calibration", "--calibration-pictures"), ("rounds", "--rounds")]
)
def test_numbers_out_of_range_are_refused(job, name, option):
    with pytest.raises(ParameterError, match=option):
        dataclasses.replace(job, **{name: 0})
