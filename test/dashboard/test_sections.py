"""What the robot knows, as sections of the page."""

import numpy as np

from edge_ai.control.command import Command, ControlState
from edge_ai.core.types import Detections, FrameHeader, Result, Velocity
from edge_ai.dashboard import sections
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.steps import StepState, StepStatus

SAMPLE = Sample(2_500_000_000, 7, {"cpu": 0.5, "cpu/0": 0.5, "fps": 9.0, "front/camera/rate": 10.0}, {"board": "PC"})


def test_the_machine_and_its_nodes_apart():
    assert sections.system(SAMPLE)["readings"] == {"cpu": 0.5, "cpu/0": 0.5, "fps": 9.0}
    assert sections.system(SAMPLE)["stamp"] == 2.5
    assert sections.nodes(SAMPLE) == {"front/camera": {"rate": 10.0}}


def test_a_command_and_a_result():
    command = Command(Velocity(0.3, -0.1), ControlState.FOLLOWING, "following", 0.05, None, None, 1, 0, 0)
    assert sections.control(command) == {
        "state": "FOLLOWING",
        "reason": "following",
        "linear": 0.3,
        "angular": -0.1,
        "age": 0.05,
    }
    found = Detections(np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.zeros(2, np.int32))
    result = Result(FrameHeader(3_000_000_000, 0, "c", 0, 4, 4), found, "nano", "1", "edge", {"infer": 0.02})
    assert sections.result(result)["count"] == 2
    assert sections.result(result)["timings"] == {"infer": 0.02}
    assert sections.result(result)["stamp"] == 3.0


def test_alerts_that_are_over_stay_for_a_while_newest_first():
    log = sections.AlertLog(kept=2)
    hot = Alert("temperature", Level.ERROR, "90 degrees", 1_000_000_000)
    for second in range(1, 5):
        now = second * 1_000_000_000
        log.event(hot, now)
        log.event(Alert("temperature", Level.ERROR, f"over {second}", 1_000_000_000, active=False), now)
    section = log.section([hot])
    assert [one["message"] for one in section["recent"]] == ["over 4", "over 3"]
    assert section["recent"][0]["until"] == 4.0
    assert section["active"][0]["level"] == "error"
    assert section["active"][0]["since"] == 1.0


def test_the_ladder():
    step = StepStatus("slower_camera", StepState.TAKEN, "for cpu", 2_000_000_000, {"fps": 8.0}, {"fps": 9.0})
    section = sections.mitigation(MitigationStatus(1, 3, "slower_camera taken", (step,)))
    assert (section["level"], section["changes"]) == (1, 3)
    assert section["steps"][0]["state"] == "taken"
    assert section["steps"][0]["since"] == 2.0
    assert section["steps"][0]["after"] == {"fps": 9.0}
