import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import CallService, SetParameter, SetPower
from edge_ai.monitoring.alert import Level
from edge_ai.monitoring.ladder_file import load_plan, parse_plan, plan_of
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.steps import Condition, Plan, ScaleParameter


def step(*do, **more):
    """The one step of a plan."""
    return parse_plan({"steps": [{"name": "one", "when": ["fps"], "do": list(do), **more}]}, owner="test").steps[0]


@pytest.mark.parametrize(
    ("entry", "deeds"),
    [
        ({"set": {"camera.max_rate": 15}}, [SetParameter("camera", "max_rate", 15)]),
        (
            {"set": {"router.override": "cloud", "control.allow_reverse": True}},
            [SetParameter("router", "override", "cloud"), SetParameter("control", "allow_reverse", True)],
        ),
        ({"set": {"inference.classes": ["person"]}}, [SetParameter("inference", "classes", ["person"])]),
        (
            {"scale": {"camera.max_rate": {"of": "camera/rate", "by": 0.5, "least": 5}}},
            [ScaleParameter("camera", "max_rate", "camera/rate", 0.5, 5)],
        ),
        ({"call": "inference/pause", "undo": "inference/go_on"}, [CallService("inference", "pause", "go_on")]),
        ({"call": "inference/free_memory"}, [CallService("inference", "free_memory")]),
        ({"free": "memory"}, [CallService("inference", "free_memory")]),
        ({"power": {"mode": 2, "clocks": True}}, [SetPower(mode="2", clocks="on")]),  # as YAML reads a bare on
        ({"power": {"fan": "cool"}}, [SetPower(fan="cool")]),
        ({"stop": "robot"}, [CallService("control", "emergency_stop")]),
    ],
)
def test_each_thing_to_do_becomes_actions(entry, deeds):
    assert list(step(entry).do) == deeds


def test_a_stop_is_undone_by_the_operator_alone_and_seen_to_be_over():
    stop = step({"stop": "robot"})
    assert stop.by_operator
    assert stop.urgent
    assert not step({"free": "memory"}).urgent
    assert stop.released == (Condition("control/stopped", below=0.5),)
    assert step({"call": "control/emergency_stop"}).by_operator
    assert not step({"free": "memory"}).by_operator
    assert step({"free": "memory"}, undo="operator").by_operator


def test_conditions_and_times():
    one = step(
        {"power": {"mode": "15W"}},
        dwell=3,
        recover=20,
        needs={"router/cloud_latency": {"below": 0.2}},
        unless={"fps": {"cpu": {"above": 0.1, "below": 0.5}}},
        released={"x": {"above": 1}},
    )
    assert (one.dwell, one.recover, one.relapse, one.deadline) == (3, 20, 80, 90)
    assert one.needs == (Condition("router/cloud_latency", below=0.2),)
    assert one.unless == {"fps": (Condition("cpu", 0.1, 0.5),)}
    assert one.released == (Condition("x", above=1),)
    assert step({"free": "memory"}, deadline=1, relapse=7).deadline == 1


def test_more_alerts():
    entries = [
        {"name": "hot", "metric": "temperature", "above": 95, "clear": 90, "after": 5, "level": "error"},
        {"name": "slow", "metric": "inference/rate", "below": 10.0},
    ]
    hot, slow = parse_plan({"alerts": entries}, owner="test").rules
    assert hot == Rule("hot", "temperature", 95, 90, after=5, level=Level.ERROR)
    assert (slow.limit, slow.clear, slow.below, slow.level) == (10, 10.5, True, Level.WARN)


ONE = {"name": "one", "when": ["fps"], "do": [{"free": "memory"}]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "dictionary"),
        ({"step": []}, "unknown key 'step'"),
        ({"steps": [{"when": ["fps"]}]}, "no 'steps.0.name'; no 'steps.0.do'"),
        ({"steps": [{**ONE, "when": ["heat"]}]}, "alert 'heat', which is none of cpu, memory"),
        ({"steps": [{**ONE, "when": []}]}, "steps.0.when"),
        ({"steps": [ONE, ONE]}, "two steps are called 'one'"),
        ({"steps": [{**ONE, "dwell": 0}]}, "steps.0.dwell"),
        ({"steps": [{**ONE, "dwell": float("nan")}]}, "steps.0.dwell"),
        ({"steps": [{**ONE, "unless": {"cpu": {"gpu": {"above": 1}}}}]}, "'cpu' under 'unless'"),
        ({"steps": [{**ONE, "needs": {"cpu": {}}}]}, "'above' or 'below' is wanted"),
        ({"steps": [{**ONE, "do": [{}]}]}, "one of 'set'"),
        ({"steps": [{**ONE, "do": [{"free": "memory", "stop": "robot"}]}]}, "one of 'set'"),
        ({"steps": [{**ONE, "do": [{"set": {"max_rate": 1}}]}]}, "max_rate"),
        ({"steps": [{**ONE, "do": [{"call": "reset"}]}]}, "call"),
        ({"steps": [{**ONE, "do": [{"call": "a/b", "undo": "c/d"}]}]}, "same node"),
        ({"steps": [{**ONE, "do": [{"free": "memory", "undo": "a/b"}]}]}, "belongs to 'call'"),
        ({"steps": [{**ONE, "do": [{"call": "control/reset"}]}]}, "operator's alone"),
        ({"steps": [{**ONE, "do": [{"call": "control/emergency_stop", "undo": "control/reset"}]}]}, "operator's alone"),
        ({"steps": [{**ONE, "do": [{"call": "control/emergency_stop", "undo": "control/go"}]}]}, "operator's alone"),
        ({"steps": [{**ONE, "do": [{"power": {}}]}]}, "'mode', 'clocks' or 'fan'"),
        ({"steps": [{**ONE, "do": [{"scale": {"camera.max_rate": {"of": "x", "by": 2}}}]}]}, "by"),
        ({"alerts": [{"name": "cpu", "metric": "cpu", "above": 1}]}, "every monitor's own"),
        ({"alerts": [{"name": "hot", "metric": "x", "above": 1, "below": 0}]}, "either 'above' or 'below'"),
        ({"alerts": [{"name": "hot", "metric": "x", "above": 1, "clear": 2}]}, "good side of 1"),
        ({"alerts": [{"name": "hot", "metric": "x", "above": 1}] * 2}, "two alerts are called 'hot'"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(content, words):
    with pytest.raises(EdgeAIError, match="mitigation file 'test'") as refusal:
        parse_plan(content, owner="test")
    assert words in str(refusal.value)


def test_files(tmp_path):
    assert plan_of("none") == Plan()
    assert plan_of("").steps
    path = tmp_path / "ladder.yaml"
    path.write_text("")
    assert load_plan(path) == Plan()
    path.write_text("steps: [")
    with pytest.raises(EdgeAIError, match="is not YAML"):
        plan_of(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EdgeAIError, match=str(path)):
        plan_of(str(path))
    with pytest.raises(EdgeAIError, match="No such file"):
        plan_of(str(tmp_path / "none.yaml"))
