import json
import math
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import CallService, SetParameter
from edge_ai.monitoring.alerts import Standing
from edge_ai.monitoring.kept_steps import KeptSteps
from edge_ai.monitoring.mitigation import Mitigation
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.steps import Condition, Plan, ScaleParameter, Step, StepState

HEAT = Rule("heat", "temperature", 85, 80)
FEWER = Step("fewer", ("heat",), (SetParameter("camera", "max_rate", 15.0),), dwell=5, recover=10)
FEWEST = Step("fewest", ("heat",), (SetParameter("camera", "max_rate", 8.0),), dwell=5, recover=10)
CLOUD = Step("cloud", ("heat",), (SetParameter("router", "override", "cloud"),), dwell=5, recover=10)
FREE = Step("free", ("heat",), (CallService("inference", "free_memory"),), dwell=5, recover=10)
STOP = Step(
    "stop",
    ("heat",),
    (CallService("control", "emergency_stop"),),
    dwell=5,
    recover=10,
    by_operator=True,
    released=(Condition("control/stopped", below=0.5),),
)


class Nodes:
    """Does what it is asked at once, unless told to refuse, or to keep its answers back."""

    def __init__(self):
        self.values = {"camera.max_rate": 30.0, "router.override": "auto"}
        self.done, self.asked, self.refused, self.held = [], [], set(), None

    def perform(self, action, done):
        if self.held is not None:
            self.held.append((action, done))
        else:
            done(self.answer(action))

    def answer(self, action):
        name = f"{action.node}.{action.name}" if isinstance(action, SetParameter) else f"{action.node}/{action.service}"
        self.asked.append(name)
        if name in self.refused:
            return EdgeAIError(f"'{name}'", got="a refusal")
        if isinstance(action, CallService):
            self.done.append(name)
            return CallService(action.node, action.undo, action.service) if action.undo else None
        before, self.values[name] = self.values[name], action.value
        self.done.append(f"{name} = {action.value}")
        return SetParameter(action.node, action.name, before)

    def release(self):
        """Do what was kept back, and answer."""
        held, self.held = self.held, None
        for action, done in held:
            done(self.answer(action))


class Watched:
    """A ladder, beaten once a second."""

    def __init__(self, *steps, nodes=None, kept=None, **plan):
        self.clock, self.nodes, self.kept = ManualClock(), nodes or Nodes(), kept
        self.plan = Plan(steps, **plan)
        self.readings = {"temperature": 70.0}
        self.hot, self.well_since = False, 0
        self.pinned, self.vetoed = (), ()
        self.mitigation = Mitigation(self.plan, self.clock, self.nodes, kept)

    def restart(self):
        """A new monitor, after one that was killed."""
        self.mitigation = Mitigation(self.plan, self.clock, self.nodes, self.kept)

    def beat(self, seconds=1):
        for _ in range(seconds):
            standing = Standing(HEAT, self.hot, None if self.hot else self.well_since)
            self.mitigation.beat(self.readings, {"heat": standing}, self.pinned, self.vetoed)
            self.clock.advance(1)
        return self.mitigation.status

    def taken(self):
        return [step.name for step in self.mitigation.status.steps if step.state in (1, 2, 5)]

    def state(self, name):
        return next(step.state for step in self.mitigation.status.steps if step.name == name)


@pytest.fixture
def kept(tmp_path):
    return KeptSteps(tmp_path / "run/steps.json")


def test_steps_are_taken_one_by_one_and_undone_in_reverse_order():
    watched = Watched(FEWER, FEWEST)
    watched.beat(3)
    assert not watched.nodes.done
    watched.hot = True
    watched.beat()
    assert watched.taken() == ["fewer"]
    watched.beat(4)
    assert watched.taken() == ["fewer"]  # its dwell time
    status = watched.beat()
    assert watched.taken() == ["fewer", "fewest"]
    assert (status.level, status.changes, status.done_for) == (2, 2, {"heat": "fewer, fewest"})
    assert "fewest" in status.message
    watched.beat(100)
    watched.hot = False
    watched.beat(10)
    assert len(watched.taken()) == 2
    watched.beat()
    assert watched.taken() == ["fewer"]
    watched.beat(11)
    assert watched.taken() == []
    assert watched.nodes.done == [f"camera.max_rate = {rate}" for rate in (15.0, 8.0, 15.0, 30.0)]


def test_the_effect_is_measured_at_the_end_of_the_dwell_time(caplog):
    watched = Watched(FEWER)
    caplog.set_level("INFO")
    watched.readings = {"temperature": 90.0, "fps": 30.0}
    watched.hot = True
    watched.beat(3)
    watched.readings = {"temperature": 82.0, "fps": 15.0}
    (step,) = watched.beat().steps
    assert (step.before, step.after) == ({"temperature": 90, "fps": 30}, {})
    (step,) = watched.beat(5).steps
    assert step.after == {"temperature": 82, "fps": 15}
    assert "effect of 'fewer': fps 30.0/s -> 15.0/s, temperature 90.0 °C -> 82.0 °C" in caplog.text


def test_a_refused_step_is_passed_over_told_once_and_tried_again_at_ever_longer_intervals(caplog):
    watched = Watched(CLOUD, FEWER, retry=60)
    watched.nodes.refused = {"router.override"}
    watched.hot = True
    watched.beat()
    assert watched.taken() == ["fewer"]  # in the same beat
    assert watched.state("cloud") == StepState.REFUSED
    assert "a refusal" in watched.mitigation.status.steps[0].detail
    watched.beat(200)
    assert caplog.text.count("'cloud' cannot be taken") == 1
    assert watched.nodes.asked.count("router.override") == 3  # at once, after 60 s and after 120 s more
    watched.nodes.refused = set()
    watched.beat(400)
    assert watched.taken() == ["cloud", "fewer"]


def test_half_a_step_is_taken_back():
    both = Step("both", ("heat",), (*FEWER.do, *CLOUD.do))
    watched = Watched(both)
    watched.nodes.refused = {"router.override"}
    watched.hot = True
    watched.beat()
    assert watched.state("both") == StepState.REFUSED
    assert watched.nodes.values["camera.max_rate"] == 30
    watched.nodes.refused = set()
    watched.beat(100)
    watched.hot = False
    watched.beat(30)
    assert watched.nodes.done[-2:] == ["router.override = auto", "camera.max_rate = 30.0"]


def test_an_action_that_never_answers_is_given_up_and_taken_back_if_it_was_done_after_all(caplog):
    watched = Watched(FEWER, CLOUD)
    watched.nodes.held = []
    watched.hot = True
    watched.beat(9)
    assert watched.state("fewer") == StepState.READY
    watched.beat(2)
    assert watched.state("fewer") == StepState.REFUSED
    assert "no answer within 10 s" in watched.mitigation.status.steps[0].detail
    watched.nodes.release()
    assert watched.nodes.values["camera.max_rate"] == 15
    watched.beat()
    assert watched.nodes.values["camera.max_rate"] == 30
    assert "taken back" in caplog.text


def test_answers_may_come_from_any_thread_and_twice():
    class Late(Nodes):
        def perform(self, action, done):
            def later():
                answer = self.answer(action)
                done(answer)
                done(EdgeAIError("twice"))

            threading.Thread(target=later).start()

    watched = Watched(FEWER, nodes=Late())
    watched.hot = True
    for _ in range(200):
        if watched.beat().level:
            break
    watched.beat(2)
    assert watched.taken() == ["fewer"]


def test_an_actuator_that_raises_refuses():
    class Broken(Nodes):
        def perform(self, action, done):
            raise RuntimeError("no such thing")

    watched = Watched(FEWER, nodes=Broken())
    watched.hot = True
    watched.beat()
    assert watched.state("fewer") == StepState.REFUSED


def test_an_undo_that_is_refused_is_tried_again_and_older_steps_wait():
    watched = Watched(FEWER, CLOUD, retry=20)
    watched.hot = True
    watched.beat(12)
    watched.hot = False
    watched.nodes.refused = {"router.override"}
    watched.beat(12)
    assert watched.taken() == ["fewer", "cloud"]
    assert "cannot be undone" in watched.mitigation.status.steps[1].detail
    watched.nodes.refused = set()
    watched.beat(60)
    assert not watched.taken()


def test_what_somebody_else_has_set_since_is_left_so(caplog):
    watched = Watched(FEWER)
    watched.hot = True
    watched.beat(10)
    watched.nodes.values["camera.max_rate"] = 12.0
    watched.hot = False
    watched.beat(20)
    assert not watched.taken()
    assert watched.nodes.values["camera.max_rate"] == 12
    assert "set by somebody else" in caplog.text


def test_a_pinned_step_is_kept_and_what_it_stands_on_waits():
    watched = Watched(CLOUD, FEWER, FEWEST)
    watched.hot = True
    watched.beat(20)
    watched.pinned = ("fewest",)
    watched.hot = False
    watched.beat(100)
    assert watched.taken() == ["cloud", "fewer", "fewest"]  # fewer changes the same, and cloud is older than that
    assert watched.state("fewest") == StepState.PINNED
    watched.pinned = ("cloud",)
    watched.beat(60)
    assert watched.taken() == ["cloud"]
    watched.pinned = ()
    watched.beat(20)
    assert not watched.taken()


def test_a_pinned_step_that_changes_something_else_holds_nobody_up():
    watched = Watched(FEWER, CLOUD)
    watched.pinned = ("cloud",)
    watched.beat(3)
    assert watched.state("cloud") == StepState.READY  # pinning takes nothing
    watched.hot = True
    watched.beat(12)
    watched.hot = False
    watched.beat(30)
    assert watched.taken() == ["cloud"]


def test_a_vetoed_step_is_not_taken_and_undone_at_once_where_it_is():
    watched = Watched(FEWER, CLOUD)
    watched.vetoed = ("fewer",)
    watched.hot = True
    watched.beat(12)
    assert watched.taken() == ["cloud"]
    assert watched.state("fewer") == StepState.VETOED
    watched.vetoed = ("cloud",)
    watched.beat()
    assert watched.nodes.values["router.override"] == "auto"
    watched.beat(10)
    assert watched.taken() == ["fewer"]


def test_a_veto_first_undoes_what_was_taken_on_top_and_changes_the_same():
    watched = Watched(FEWER, FEWEST)
    watched.hot = True
    watched.beat(10)
    watched.vetoed = ("fewer",)
    watched.beat(2)
    assert watched.nodes.done[-2:] == ["camera.max_rate = 15.0", "camera.max_rate = 30.0"]
    watched.beat(10)
    assert watched.taken() == ["fewest"]


def test_a_stop_waits_for_the_operator_and_is_over_when_the_node_says_so():
    watched = Watched(FEWER, STOP)
    watched.hot = True
    watched.beat(8)
    watched.readings = {"control/stopped": 1.0}
    watched.beat(8)
    assert watched.state("stop") == StepState.WAITING
    watched.hot = False
    watched.beat(300)
    assert watched.taken() == ["stop"]
    assert "control/reset" not in watched.nodes.done
    watched.readings = {"control/stopped": 0.0}  # the operator called control/reset
    watched.beat()
    assert watched.state("stop") == StepState.READY


def test_a_stop_that_is_vetoed_is_not_taken_but_stays_where_it_is():
    watched = Watched(STOP)
    watched.vetoed, watched.hot = ("stop",), True
    watched.beat(3)
    assert not watched.nodes.done
    watched.vetoed = ()
    watched.readings = {"control/stopped": 1.0}
    watched.beat(3)
    watched.vetoed, watched.hot = ("stop",), False
    watched.beat(300)
    assert watched.nodes.done == ["control/emergency_stop"]
    assert watched.state("stop") == StepState.WAITING
    watched.readings = {"control/stopped": 0.0}
    watched.beat()
    assert watched.state("stop") == StepState.VETOED


@pytest.mark.parametrize("late", [False, True])
def test_a_stop_is_not_taken_back_with_the_rest_of_a_step_that_failed(late):
    watched = Watched(Step("all", ("heat",), (*FEWER.do, *STOP.do, *CLOUD.do), by_operator=True))
    watched.nodes.refused = {"router.override"}
    watched.nodes.held = [] if late else None
    watched.hot = True
    watched.beat(12)
    if late:
        watched.nodes.release()
        watched.beat(2)
    assert watched.state("all") == StepState.REFUSED
    assert watched.nodes.values["camera.max_rate"] == 30
    assert "control/reset" not in watched.nodes.done


def test_a_stop_that_is_refused_is_tried_again_at_each_look():
    watched = Watched(FEWER, CLOUD, replace(STOP, urgent=True))
    watched.nodes.refused, watched.hot = {"control/emergency_stop"}, True
    watched.beat(30)
    assert watched.nodes.asked.count("control/emergency_stop") == 30
    assert watched.taken() == ["fewer", "cloud"]  # it is in nobody's way
    watched.nodes.refused = set()
    watched.beat()
    assert watched.nodes.done[-1] == "control/emergency_stop"


def test_a_robot_that_was_released_before_anybody_saw_it_stopped_is_stopped_again():
    watched = Watched(STOP)
    watched.hot, watched.readings = True, {"control/stopped": 0.0}
    watched.beat(5)  # the operator is quicker than the next report of the node
    assert watched.nodes.done == ["control/emergency_stop"]
    watched.beat(2)
    assert watched.nodes.done == ["control/emergency_stop"] * 2


def test_a_robot_that_was_released_while_no_monitor_ran_is_stopped_again(kept):
    watched = Watched(STOP, kept=kept)
    watched.hot, watched.readings = True, {"control/stopped": 1.0}
    watched.beat(8)
    watched.restart()
    watched.readings = {"control/stopped": 0.0}
    watched.beat(2)
    assert watched.nodes.done == ["control/emergency_stop"] * 2


def test_what_leaves_nothing_to_undo_holds_nobody_up_and_can_be_done_again():
    watched = Watched(FEWER, FREE)
    watched.hot = True
    watched.beat(100)
    assert watched.taken() == ["fewer", "free"]
    assert watched.nodes.done.count("inference/free_memory") == 1
    watched.hot = False
    watched.beat(12)
    assert not watched.taken()
    watched.hot = True
    watched.beat(12)
    assert watched.nodes.done.count("inference/free_memory") == 2


@pytest.mark.parametrize(("latency", "taken"), [(0.1, True), (0.5, False), (math.nan, False), (None, False)])
def test_a_step_waits_for_what_it_needs(latency, taken):
    needy = Step("needy", ("heat",), CLOUD.do, needs=(Condition("router/cloud_latency", below=0.2),))
    watched = Watched(needy)
    watched.readings = {} if latency is None else {"router/cloud_latency": latency}
    watched.hot = True
    watched.beat(3)
    assert bool(watched.taken()) is taken
    assert taken or "router/cloud_latency" in watched.mitigation.status.steps[0].detail


@pytest.mark.parametrize(
    ("readings", "taken"),
    [
        ({"kept_share": 1.0, "cpu": 0.5}, False),
        ({"kept_share": 1.0, "cpu": 0.95}, True),
        ({"kept_share": 0.5, "cpu": 0.5}, True),
        ({"cpu": 0.5}, True),
    ],
)
def test_an_alert_may_call_in_vain(readings, taken):
    vain = {"heat": (Condition("kept_share", above=0.95), Condition("cpu", below=0.9))}
    watched = Watched(Step("one", ("heat",), CLOUD.do, unless=vain))
    watched.readings = readings
    watched.hot = True
    watched.beat(3)
    assert bool(watched.taken()) is taken


@pytest.mark.parametrize(
    ("readings", "rate"),
    [
        ({"camera/rate": 30.0}, 15.0),
        ({"front/camera/rate": 20.0, "back/camera/rate": 30.0}, 12.5),
        ({"camera/rate": 9.0}, 6.0),
        ({"camera/rate": 6.0}, None),
        ({"camera/rate": math.nan}, None),
    ],
)
def test_a_parameter_may_become_a_part_of_what_is_measured(readings, rate):
    half = Step("half", ("heat",), (ScaleParameter("camera", "max_rate", "camera/rate", 0.5, least=6),))
    watched = Watched(half)
    watched.readings = readings
    watched.hot = True
    watched.beat(2)
    assert watched.nodes.values["camera.max_rate"] == (rate or 30)
    assert watched.state("half") == (StepState.TAKEN if rate else StepState.REFUSED)
    assert watched.mitigation.rate_cap == (rate or math.inf)


def test_an_end_undoes_all_in_reverse_order_but_what_the_operator_keeps(kept):
    watched = Watched(FEWER, FEWEST, CLOUD, STOP, kept=kept)
    watched.hot = True
    watched.beat(30)
    watched.pinned = ("cloud",)
    watched.beat()
    del watched.nodes.done[:]
    watched.mitigation.close()
    assert watched.nodes.done == ["camera.max_rate = 15.0", "camera.max_rate = 30.0"]
    assert [step.name for step in kept.load()] == ["cloud", "stop"]


def test_an_end_waits_for_answers_but_not_for_ever(kept):
    watched = Watched(FEWER, kept=kept)
    watched.hot = True
    watched.beat(2)
    watched.nodes.held = []
    watched.mitigation.close(patience=0.2)
    assert [step.name for step in kept.load()] == ["fewer"]  # the next monitor will see to it


def test_a_step_that_is_done_after_the_end_is_taken_back_by_who_did_it():
    watched = Watched(FEWER)
    watched.nodes.held = []
    watched.hot = True
    watched.beat()
    watched.mitigation.close(patience=0.1)
    watched.nodes.release()
    assert watched.nodes.values["camera.max_rate"] == 30


def test_a_monitor_that_was_killed_undoes_after_its_restart_what_it_took(kept):
    watched = Watched(CLOUD, FEWER, FEWEST, kept=kept)
    watched.hot = True
    watched.beat(20)
    assert watched.taken() == ["cloud", "fewer", "fewest"]
    del watched.nodes.done[:]
    watched.restart()
    watched.beat(5)
    assert watched.taken() == ["cloud", "fewer", "fewest"]
    watched.hot = False
    watched.beat(60)
    assert not watched.taken()
    assert watched.nodes.done == ["camera.max_rate = 15.0", "camera.max_rate = 30.0", "router.override = auto"]
    assert kept.load() == []


_KILLED = """
import sys, time
from pathlib import Path
from edge_ai.core.clock import SystemClock
from edge_ai.monitoring.actions import SetParameter
from edge_ai.monitoring.alerts import Standing
from edge_ai.monitoring.kept_steps import KeptSteps
from edge_ai.monitoring.mitigation import Mitigation
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.steps import Plan, Step

class Camera:
    def perform(self, action, done):
        done(SetParameter(action.node, action.name, 30.0))

step = Step("fewer", ("heat",), (SetParameter("camera", "max_rate", 15.0),))
mitigation = Mitigation(Plan((step,)), SystemClock(), Camera(), KeptSteps(Path(sys.argv[1])))
mitigation.beat({}, {"heat": Standing(Rule("heat", "temperature", 85, 80), True, None)})
print(mitigation.status.level, flush=True)
time.sleep(600)
"""


def test_kill_9_loses_nothing(tmp_path):
    path = tmp_path / "run/steps.json"
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "1\n"
        process.kill()
    watched = Watched(FEWER, kept=KeptSteps(path))
    watched.nodes.values["camera.max_rate"] = 15.0  # the node lives on
    assert watched.taken() == ["fewer"]
    watched.beat(30)
    assert not watched.taken()
    assert watched.nodes.values["camera.max_rate"] == 30
    assert not path.exists()


class Fatal(Nodes):
    """Does what it is asked, and before it answers at the n-th action the monitor is killed."""

    def __init__(self, last):
        super().__init__()
        self.left = last

    def perform(self, action, done):
        self.left -= 1
        answer = self.answer(action)
        if not self.left:
            raise KeyboardInterrupt
        done(answer)


def test_a_monitor_killed_between_an_action_and_its_answer_tells_at_its_next_start(kept, caplog):
    watched = Watched(FEWER, nodes=Fatal(1), kept=kept)
    watched.hot = True
    with pytest.raises(KeyboardInterrupt):
        watched.beat()
    watched.hot = False
    watched.restart()
    words = "'fewer' was being taken when an earlier monitor died, perhaps done: camera.max_rate = 15.0"
    assert words in caplog.text
    assert watched.beat().message == words
    assert not watched.taken()
    assert kept.load() == []  # it is told once


def test_what_a_killed_monitor_had_done_of_a_step_is_undone(kept):
    rest = CallService("camera", "dim", "brighten")
    watched = Watched(Step("both", ("heat",), (*FEWER.do, rest), recover=10), kept=kept)
    watched.nodes.held, watched.hot = [], True
    watched.beat()
    watched.nodes.release()
    watched.nodes.held = []
    watched.beat()  # hears that the first is done, sends the second, and never hears of that
    watched.nodes.held = None
    watched.restart()
    assert watched.taken() == ["both"]
    watched.hot = False
    watched.beat(40)
    assert watched.nodes.values["camera.max_rate"] == 30
    assert "camera/brighten" in watched.nodes.done
    assert not watched.taken()


def test_an_urgent_step_waits_for_no_disk(kept, monkeypatch):
    watched = Watched(replace(STOP, urgent=True), kept=kept)
    order = []
    monkeypatch.setattr(kept, "save", lambda _: order.append("save"))
    monkeypatch.setattr(watched.nodes, "perform", lambda *_: order.append("stop"))
    watched.hot = True
    watched.beat()
    assert order[0] == "stop"


def test_a_step_that_the_file_no_longer_has_is_undone_as_well(kept):
    watched = Watched(FEWER, STOP, kept=kept)
    watched.hot = True
    watched.beat(10)
    watched.plan = Plan()
    watched.restart()
    watched.hot = False
    watched.beat(30)
    assert watched.nodes.values["camera.max_rate"] == 30
    assert "control/reset" not in watched.nodes.done  # also without a file an emergency stop is the operator's


def test_steps_kept_before_the_machine_booted_are_left_aside(kept, monkeypatch):
    watched = Watched(FEWER, kept=kept)
    watched.hot = True
    watched.beat(2)
    monkeypatch.setattr(kept, "_boot", "another")
    assert kept.load() == []


_DEEDS = [{"did": 1, "undo": 2}]
_STEP = {"name": "fewer", "triggers": [], "deeds": _DEEDS, "before": {}, "after": {}, "by_operator": False}
_TORN = json.dumps({"boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "steps": [_STEP]})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": [{}]}', "\x00", _TORN])
def test_a_torn_file_of_kept_steps_is_reported_and_no_reason_to_fail(kept, tmp_path, text, caplog):
    path = tmp_path / "run/steps.json"
    path.parent.mkdir()
    path.write_text(text)
    watched = Watched(FEWER, kept=kept)
    assert "cannot be read" in caplog.text
    watched.hot = True
    watched.beat(2)
    assert [step.name for step in kept.load()] == ["fewer"]


def test_a_folder_that_cannot_be_written_is_reported_once_and_no_reason_to_fail(tmp_path, caplog):
    (tmp_path / "run").write_text("no folder")
    watched = Watched(FEWER, kept=KeptSteps(tmp_path / "run/steps.json"))
    watched.hot = True
    watched.beat(10)
    assert watched.taken() == ["fewer"]
    assert caplog.text.count("are not kept over a crash") == 1


def test_the_file_is_this_users_and_this_monitors(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    watched = Watched(FEWER, kept=KeptSteps.of("/front/monitor"))
    watched.hot = True
    watched.beat(2)
    (path,) = (tmp_path / "edge_ai").iterdir()
    assert path.name == "mitigation_front_monitor.json"
    assert path.stat().st_mode & 0o077 == 0
    assert KeptSteps.of("").load() == []
