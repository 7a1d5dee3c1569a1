import gc
import os
import sys

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from edge_ai.core.errors import ParameterError
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.pipeline_node import PipelineNode

linux = pytest.mark.skipif(sys.platform != "linux", reason="CPU affinity of Linux")


@pytest.fixture(autouse=True)
def cpus():
    if sys.platform != "linux":
        yield set()
        return
    before = os.sched_getaffinity(0)
    yield before
    os.sched_setaffinity(0, before)
    gc.unfreeze()


def affinities():
    return [os.sched_getaffinity(int(thread)) for thread in os.listdir("/proc/self/task")]


@pytest.mark.parametrize("make", [CameraNode, InferenceNode, ControlNode, PipelineNode])
def test_every_managed_node_has_them_and_checks_them_at_start(ros, make):
    one = ros(**{"process.gc": "never"})
    with pytest.raises(ParameterError, match=r"'gc' of .*: got 'never'"):
        make()
    del one


@linux
def test_they_take_effect_at_configure_before_the_model_loads_and_end_at_cleanup(ros, cpus, capfd):
    one = ros(**{"process.cpu_affinity": max(cpus), "process.gc": "freeze", "warm_up": 0})
    node = one.add(InferenceNode())
    assert os.sched_getaffinity(0) == cpus
    for _ in range(2):
        assert one.do(node, "configure")
        assert all(affinity == {max(cpus)} for affinity in affinities())
        assert "CPUExecutionProvider, 1 thread, " in capfd.readouterr().err
        assert gc.get_freeze_count() > 1000
        assert one.do(node, "cleanup")
        assert all(affinity == cpus for affinity in affinities())
        assert gc.get_freeze_count() == 0


@linux
def test_a_failed_configure_leaves_nothing_behind(ros, cpus):
    one = ros(**{"process.cpu_affinity": max(cpus), "source": "/no/such/video.avi"})
    node = one.add(CameraNode())
    assert not one.do(node, "configure")
    assert os.sched_getaffinity(0) == cpus


@linux
def test_what_cannot_be_had_is_a_warning_and_the_node_goes_on(ros, until, cpus):
    one = ros(**{"process.cpu_affinity": "4090", "source": "synthetic"})
    heard = one.listen(DiagnosticArray, "/diagnostics")
    node = one.add(CameraNode())

    def warnings():
        return [status for status in heard[-1].status if status.name.startswith("camera: process.")] if heard else []

    assert one.do(node, "configure")
    assert one.do(node, "activate")
    (warned,) = until(warnings, "the warning")
    assert warned.name == "camera: process.cpu_affinity"
    assert warned.level == DiagnosticStatus.WARN
    assert "got CPUs 4090; wanted some of those this process is given" in warned.message
    assert os.sched_getaffinity(0) == cpus
    assert one.do(node, "deactivate")
    assert one.do(node, "cleanup")
    until(lambda: not warnings(), "diagnostics without it")


def test_real_time_priority_and_spinning_are_refused_together(ros):
    one = ros(**{"process.priority": 5, "spinning": "long"})
    node = one.add(InferenceNode())
    assert not one.do(node, "configure")
    assert "set spinning to short or none, or priority to 0" in node.fault


def test_they_do_not_change_while_the_node_is_configured(ros):
    from rclpy.parameter import Parameter

    one = ros()
    node = one.add(ControlNode())
    assert one.do(node, "configure")
    (answer,) = node.set_parameters([Parameter("process.priority", value=5)])
    assert not answer.successful
    assert "takes effect only at configure" in answer.reason
