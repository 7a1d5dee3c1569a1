"""Average precision beside pycocotools' own."""

import json

import numpy as np
import pytest

from edge_ai.evaluation import load_coco
from edge_ai.evaluation.metrics.average_precision import AveragePrecision

LABELS = ("cat", "person", "dog", "cup")
CATEGORIES = {"person": 1, "dog": 2, "cup": 3}

pytest.importorskip("pycocotools")


@pytest.fixture(scope="module")
def case(scene, tmp_path_factory):
    dataset, answers = scene()
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    path.write_text(json.dumps(dataset))
    truth = load_coco(path, LABELS)
    return dataset, answers, truth, AveragePrecision().records(truth, answers)


def test_all_pictures_as_pycocotools_has_it(case, make):
    dataset, answers, _, records = case
    stats = make.official(dataset, make.as_results(answers, CATEGORIES))
    assert 0.1 < stats[0] < 0.9
    assert records.value() == pytest.approx(stats[0], abs=1e-9)
    assert records.extra() == {"AP50": pytest.approx(stats[1], abs=1e-9)}


def test_each_class_as_pycocotools_has_it_for_that_class_alone(case, make):
    dataset, answers, truth, records = case
    assert truth.class_names == ("person", "dog", "cup")
    for name, value, labelled in zip(truth.class_names, records.classes(), records.labelled, strict=True):
        number = CATEGORIES[name]
        alone = {
            **dataset,
            "categories": [{"id": number, "name": name}],
            "annotations": [one for one in dataset["annotations"] if one["category_id"] == number],
        }
        assert value == pytest.approx(make.official(alone, make.as_results(answers, {name: number}))[0], abs=1e-9)
        assert labelled == sum(not one["iscrowd"] for one in alone["annotations"])


@pytest.mark.parametrize("seed", range(5))
def test_a_round_is_what_pycocotools_says_of_copies_of_the_pictures(case, copied, make, seed):
    dataset, answers, truth, records = case
    pictures = len(truth.pictures)
    counts = np.random.default_rng(seed).multinomial(pictures, np.full(pictures, 1 / pictures))
    assert counts.max() > 1
    assert counts.min() == 0
    again, results = copied(dataset, answers, counts)
    wanted = make.official(again, make.as_results(results, CATEGORIES))[0]
    assert records.rounds(counts[np.newaxis].astype(float))[0] == pytest.approx(wanted, abs=1e-9)


def test_many_rounds_are_each_what_they_are_alone(case):
    *_, truth, records = case
    pictures = len(truth.pictures)
    draws = np.random.default_rng(1).multinomial(pictures, np.full(pictures, 1 / pictures), 50).astype(float)
    alone = [records.rounds(row[np.newaxis])[0] for row in draws]
    np.testing.assert_allclose(records.rounds(draws), alone, rtol=0, atol=1e-12)


def test_rounds_without_anything_to_be_found_are_no_number(case):
    *_, truth, records = case
    empty = [not truth.labelled[picture.id].class_ids.size for picture in truth.pictures]
    assert any(empty), "the scene has a picture without labels"
    weights = np.array([empty, np.ones(len(empty))], float)
    assert np.isnan(records.rounds(weights)).tolist() == [True, False]


def test_a_model_that_finds_nothing_has_nothing(case, make):
    _, answers, truth, _ = case
    nothing = {number: make.found(number, [], [], [], LABELS) for number in answers}
    assert AveragePrecision().records(truth, nothing).value() == 0


def test_it_prints_nothing(case, capsys):
    _, answers, truth, _ = case
    AveragePrecision().records(truth, answers).value()
    assert capsys.readouterr().out == ""
