import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import ParameterError
from edge_ai.runtime.supervision import LifecycleManagerParams, NodeState, Supervisor, Transition, Wanted


def supervisor(**params):
    clock = ManualClock()
    return Supervisor(LifecycleManagerParams.parse({"node_names": ["camera", "control"], **params}), clock), clock


def see(watcher, camera, control):
    watcher.observe("camera", camera)
    watcher.observe("control", control)


def test_nodes_come_up_in_order():
    watcher, _ = supervisor()
    see(watcher, NodeState.UNCONFIGURED, NodeState.UNCONFIGURED)
    assert watcher.next() == ("camera", Transition.CONFIGURE)
    watcher.observe("camera", NodeState.INACTIVE)
    assert watcher.next() == ("camera", Transition.ACTIVATE)
    watcher.observe("camera", NodeState.ACTIVE)
    assert watcher.next() == ("control", Transition.CONFIGURE)
    see(watcher, NodeState.ACTIVE, NodeState.ACTIVE)
    assert watcher.next() is None
    assert watcher.all_up


def test_a_node_waits_for_one_before_it_that_has_not_appeared_but_not_for_ever():
    watcher, clock = supervisor(startup_patience=5.0)
    see(watcher, NodeState.LOST, NodeState.UNCONFIGURED)
    assert watcher.next() is None
    clock.advance(5.1)
    assert watcher.next() == ("control", Transition.CONFIGURE)


def test_a_node_that_fails_does_not_keep_the_others_down_and_is_tried_again_later():
    watcher, clock = supervisor(retry_first=1.0, retry_longest=3.0)
    see(watcher, NodeState.UNCONFIGURED, NodeState.UNCONFIGURED)
    watcher.failed("camera", "configure failed")
    assert watcher.next() == ("control", Transition.CONFIGURE)
    see(watcher, NodeState.UNCONFIGURED, NodeState.ACTIVE)
    assert watcher.next() is None
    for pause in (1.0, 2.0, 3.0, 3.0):
        clock.advance(pause - 0.1)
        assert watcher.next() is None
        clock.advance(0.2)
        assert watcher.next() == ("camera", Transition.CONFIGURE)
        watcher.failed("camera", "configure failed")
    assert "trying again" in watcher.nodes["camera"].reason


def test_a_node_that_died_comes_back_and_the_recovery_is_counted():
    watcher, _ = supervisor()
    see(watcher, NodeState.ACTIVE, NodeState.ACTIVE)
    watcher.observe("control", NodeState.LOST)
    assert not watcher.all_up
    assert "does not answer" in watcher.nodes["control"].reason
    watcher.observe("control", NodeState.UNCONFIGURED)
    assert watcher.next() == ("control", Transition.CONFIGURE)
    watcher.observe("control", NodeState.ACTIVE)
    assert watcher.nodes["control"].recoveries == 1


def test_a_dead_camera_does_not_keep_a_dead_control_node_down():
    watcher, _ = supervisor()
    see(watcher, NodeState.ACTIVE, NodeState.ACTIVE)
    see(watcher, NodeState.LOST, NodeState.UNCONFIGURED)
    assert watcher.next() == ("control", Transition.CONFIGURE)


def test_nodes_go_down_in_reverse_order():
    watcher, _ = supervisor()
    see(watcher, NodeState.ACTIVE, NodeState.ACTIVE)
    watcher.want(Wanted.DOWN)
    assert watcher.next() == ("control", Transition.DEACTIVATE)
    watcher.observe("control", NodeState.INACTIVE)
    assert watcher.next() == ("control", Transition.CLEANUP)
    see(watcher, NodeState.ACTIVE, NodeState.UNCONFIGURED)
    assert watcher.next() == ("camera", Transition.DEACTIVATE)


def test_without_autostart_nothing_happens_until_asked():
    watcher, _ = supervisor(autostart=False)
    see(watcher, NodeState.UNCONFIGURED, NodeState.UNCONFIGURED)
    assert watcher.next() is None
    watcher.want(Wanted.UP)
    assert watcher.next() == ("camera", Transition.CONFIGURE)


def test_a_node_looked_at_less_often_than_it_may_be_silent_would_always_seem_lost():
    with pytest.raises(ParameterError, match=r"period: got 1.5 s; wanted at most half of response_timeout, 2 s"):
        LifecycleManagerParams.parse({"period": 1.5})


def test_standby_configures_what_can_be_and_leaves_alone_what_only_one_side_can_have():
    watcher, _ = supervisor(node_names=["front/camera", "inference", "control"], autostart=False)
    for name in watcher.nodes:
        watcher.observe(name, NodeState.UNCONFIGURED)
    assert watcher.settled
    watcher.want(Wanted.STANDBY)
    assert not watcher.settled
    for name in ("inference", "control"):
        assert watcher.next() == (name, Transition.CONFIGURE)
        watcher.observe(name, NodeState.INACTIVE)
    assert watcher.next() is None
    assert watcher.settled


def test_standby_of_a_robot_at_work_stops_the_wheels_first_and_lets_go_of_the_camera():
    watcher, _ = supervisor()
    see(watcher, NodeState.ACTIVE, NodeState.ACTIVE)
    watcher.want(Wanted.STANDBY)
    assert watcher.next() == ("control", Transition.DEACTIVATE)
    watcher.observe("control", NodeState.INACTIVE)
    assert watcher.next() == ("camera", Transition.DEACTIVATE)
    watcher.observe("camera", NodeState.INACTIVE)
    assert watcher.next() == ("camera", Transition.CLEANUP)
    watcher.observe("camera", NodeState.UNCONFIGURED)
    assert watcher.settled


def test_a_node_that_cannot_go_down_keeps_the_others_neither_from_going_down_nor_the_standby_open():
    watcher, clock = supervisor(node_names=["camera", "inference", "control"])
    for name in watcher.nodes:
        watcher.observe(name, NodeState.ACTIVE)
    watcher.want(Wanted.STANDBY)
    watcher.failed("control", "deactivate failed")
    assert watcher.next() == ("inference", Transition.DEACTIVATE)
    watcher.observe("inference", NodeState.INACTIVE)
    watcher.observe("camera", NodeState.UNCONFIGURED)
    assert watcher.next() is None
    assert not watcher.settled
    clock.advance(20.0)
    assert watcher.next() == ("control", Transition.DEACTIVATE)
