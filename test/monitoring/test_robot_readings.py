import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.node_readings import NodeReadings
from edge_ai.monitoring.robot_readings import of_nodes, readings_of_robot

NAN = float("nan")


@pytest.mark.parametrize(
    ("readings", "fps"),
    [
        ({"inference/rate": 20.0}, 20),
        ({"pipeline/rate": 18.0, "inference/rate": 20.0}, 18),
        ({"router/rate": 25.0, "edge/inference/rate": 10.0}, 25),
        ({"front/inference/rate": 10.0, "back/inference/rate": 12.0}, 22),
        ({"inference/rate": NAN, "front/inference/rate": 5.0}, 5),
    ],
)
def test_the_results_that_count_are_those_of_who_answers_last(readings, fps):
    derived = readings_of_robot(readings, target_fps=20)
    assert derived["fps"] == fps
    assert derived["fps_share"] == fps / 20


def test_without_a_target_there_is_no_share():
    assert readings_of_robot({"inference/rate": 20.0}) == {"fps": 20}
    assert readings_of_robot({}, 20) == {}
    assert readings_of_robot({"inference/rate": NAN}, 20) == {}


def test_age_and_processing_are_the_worst_of_several():
    readings = {
        "front/inference/rate": 10.0,
        "front/inference/age_p50": 0.05,
        "back/inference/age_p50": 0.08,
        "front/inference/processing_p50": 0.03,
        "back/inference/processing_p50": NAN,
    }
    derived = readings_of_robot(readings)
    assert (derived["age"], derived["processing"]) == (0.08, 0.03)


@pytest.mark.parametrize(("camera", "kept"), [(40.0, 0.5), (20.0, 1.0), (18.0, 1.0), (0.0, 1.0)])
def test_how_much_of_what_the_camera_gives_is_answered(camera, kept):
    assert readings_of_robot({"inference/rate": 20.0, "camera/rate": camera})["kept_share"] == kept


def test_a_name_is_found_in_every_namespace_but_not_within_another_name():
    readings = {"camera/rate": 1.0, "front/camera/rate": 2.0, "thermocamera/rate": 3.0, "back/camera/rate": NAN}
    assert of_nodes(readings, "camera/rate") == {"camera/rate": 1, "front/camera/rate": 2}


def test_what_a_node_says_counts_for_a_while_and_its_silence_is_told():
    clock = ManualClock()
    nodes = NodeReadings(clock, kept=3)
    nodes.tell("camera", {"rate": 30.0, "dropped": 0.0})
    clock.advance(3)
    nodes.tell("control", {"commands": 50.0})
    assert nodes.now() == ({"camera/rate": 30, "camera/dropped": 0, "control/commands": 50}, {})
    clock.advance(1)
    assert nodes.now() == ({"control/commands": 50}, {"camera": "has said nothing for 4 s"})
    nodes.forget("camera")
    assert nodes.now() == ({"control/commands": 50}, {})
