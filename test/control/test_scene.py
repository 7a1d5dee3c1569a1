from __future__ import annotations

import pytest

from edge_ai.control.params import ControlParams
from edge_ai.control.scene import Scene

PARAMS = ControlParams(stop_zone=[0.25, 0.9, 0.75, 1.0], obstacle_classes=["chair", "person"], obstacle_clear_after=0.5)
FAR, NEAR, BESIDE = [300, 100, 340, 200], [300, 300, 400, 440], [0, 300, 100, 479]


@pytest.fixture
def look(clock, make_result):
    scene = Scene()

    def look(*args, after=0.1, params=PARAMS):
        clock.advance(after)
        scene.look(make_result(*args), params)
        return scene.obstacle

    return look


def test_an_obstacle_is_in_the_zone_and_of_a_class_to_stop_for(look):
    assert look([FAR, BESIDE]) == ""
    assert look([FAR, NEAR], [0.8, 0.7], [0, 2]) == "chair (0.70) in the stop zone"


def test_other_classes_and_low_scores_are_none(look):
    assert look([NEAR], [0.8], [1]) == ""
    assert look([NEAR], [0.3], [2]) == ""
    assert look([NEAR], [0.8], [1], params=PARAMS.changed(obstacle_classes=[""])) == ""
    assert look([NEAR], [0.8], [1], params=PARAMS.changed(obstacle_classes=["*"])) == "dog (0.80) in the stop zone"


def test_the_one_followed_is_an_obstacle_when_too_near(look):
    assert look([FAR]) == ""
    assert look([[300, 110, 340, 440]]).startswith("person")


def test_the_zone_must_stay_free_for_a_while(look):
    assert look([NEAR])
    assert look([FAR]) == "stop zone free for 0.10 s of 0.5 s"
    assert look([FAR], after=0.3).startswith("stop zone free for 0.40 s")
    assert look([FAR]) == ""


def test_each_result_is_taken_in_once(clock, make_result):
    scene, result = Scene(), make_result([FAR])
    scene.look(result, PARAMS)
    target = scene.target
    scene.look(result, PARAMS.changed(obstacle_classes=["*"], stop_zone=[0.0, 0.0, 1.0, 1.0]))
    assert scene.target is target
    assert scene.obstacle == ""


def test_says_why_nobody_is_followed(clock, make_result):
    scene = Scene()
    assert scene.waiting(clock.steady_ns()) == "nobody to follow"
    scene.look(make_result([FAR]), PARAMS)
    clock.advance(0.25)
    scene.look(make_result(), PARAMS)
    assert scene.target is None
    assert scene.waiting(clock.steady_ns()) == "waiting for the one followed, not seen for 0.25 s"
