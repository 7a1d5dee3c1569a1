import numpy as np
import pytest

from edge_ai.core.types import Classification, Segmentation
from edge_ai.routing.decision import SideState, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.rules import RulesPolicy

PARAMS = RouterParams(policy="rules")
RULES = RulesPolicy()


@pytest.mark.parametrize(
    ("width", "height", "where"),
    [(640, 480, Where.EDGE), (1920, 1080, Where.EDGE), (1921, 1080, Where.CLOUD), (3840, 2160, Where.CLOUD)],
)
def test_images_above_1080p_go_to_the_cloud(snapshot, width, height, where):
    decision = RULES.decide(snapshot(width=width, height=height), PARAMS)
    assert decision.where is where
    assert f"{width}x{height}" in decision.words


def test_an_image_of_unknown_size_stays(snapshot):
    assert RULES.decide(snapshot(width=0, height=0), PARAMS).where is Where.EDGE


def test_a_weak_result_gets_a_second_opinion_with_the_numbers(snapshot, result):
    opinion = RULES.second_opinion(snapshot(), PARAMS, result(0.62, 0.4))
    assert opinion.where is Where.CLOUD
    assert "best score 0.62 below 0.8" in opinion.words


def test_a_result_without_detections_gets_one_and_a_sure_one_does_not(snapshot, result):
    assert RULES.second_opinion(snapshot(), PARAMS, result()).where is Where.CLOUD
    assert RULES.second_opinion(snapshot(), PARAMS, result(0.81, 0.2)) is None


def test_classes_count_by_their_score_and_a_mask_has_none(snapshot, result):
    unsure = Classification(np.array([0.5], np.float32), np.array([1], np.int32))
    sure = Classification(np.array([0.9], np.float32), np.array([1], np.int32))
    assert RULES.second_opinion(snapshot(), PARAMS, result(classification=unsure)) is not None
    assert RULES.second_opinion(snapshot(), PARAMS, result(classification=sure)) is None
    mask = Segmentation(np.zeros((480, 640), np.uint8))
    assert RULES.second_opinion(snapshot(), PARAMS, result(segmentation=mask)) is None


@pytest.mark.parametrize("override", [Where.EDGE, Where.CLOUD, Where.SKIP])
def test_no_second_opinion_against_the_operator(snapshot, result, override):
    assert RULES.second_opinion(snapshot(override=override), PARAMS, result()) is None


def test_no_second_opinion_that_cannot_be_had_in_time(snapshot, side, result):
    assert RULES.second_opinion(snapshot(cloud=SideState(ready=False, why="down")), PARAMS, result()) is None
    assert RULES.second_opinion(snapshot(cloud=side(0.3)), PARAMS, result()) is None
    assert RULES.second_opinion(snapshot(budget=0.0), PARAMS, result()) is None
