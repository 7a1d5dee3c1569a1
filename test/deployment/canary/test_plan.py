"""Plans and what is wrong with them."""

import json
import re
from pathlib import Path

import pytest

from edge_ai.core.errors import DeploymentError, ParameterError
from edge_ai.deployment.canary.criteria import DEFAULTS
from edge_ai.deployment.canary.plan import load_plan
from edge_ai.deployment.canary.target import make_target

DOC = Path(__file__).resolve().parents[3] / "doc" / "canary.md"
SSH = {"kind": "ssh", "version": "cat release", "apply": "install {release}"}
PLAN = {"release": "2.4.0", "hosts": ["robot1", {"name": "robot2", "address": "10.0.0.2"}], "target": SSH}


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        path = tmp_path / "plan.yaml"
        path.write_text(json.dumps({**PLAN, **changes}))
        return load_plan(path)

    return load


def test_a_short_plan_has_the_promised_stages_and_criteria(load, tmp_path):
    plan = load()
    assert plan.way.shares == (0.10, 0.25, 0.50, 1.0)
    assert plan.criteria == list(DEFAULTS)
    assert [host.place for host in plan.hosts] == ["robot1", "10.0.0.2"]
    assert [host.label for host in plan.hosts] == ["robot1", "robot2"]
    assert plan.journal_of(tmp_path / "plan.yaml") == tmp_path / "plan.journal.jsonl"
    assert plan.judge_params.alpha == load(judge={"alpha": plan.judge_params.alpha}).judge_params.alpha


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"release": 2.4}, "'release' = 2.4: a valid string"),
        ({"release": "-oProxyCommand=x"}, "'release'"),
        ({"hosts": []}, "'hosts'"),
        ({"hosts": ["-oProxyCommand=x"]}, "'hosts.0.name'"),
        ({"hosts": [{"name": "a", "address": "-oProxyCommand=x"}]}, "'hosts.0.address'"),
        ({"hosts": ["a", "a"]}, "hosts named twice: a"),
        ({"hosts": ["a", {"name": "b", "instance": "a"}]}, "instances named twice, with a port or without: a"),
        ({"hosts": ["a", {"name": "b", "instance": "a:9465"}]}, "with a port or without: a"),
        ({"stages": [10, 50]}, "the last of them 100"),
        ({"stages": [50, 10, 100]}, "growing"),
        ({"stages": [0, 100]}, "growing"),
        ({"stagess": [100]}, "unknown key 'stagess'"),
        ({"interval": 0}, "'interval' = 0"),
        ({"patience": 10}, "'patience' is less than 'least'"),
        ({"prometheus": "robot:9090"}, "'prometheus'"),
        ({"criteria": []}, "'criteria'"),
        ({"criteria": [{"name": "a", "query": "x"}]}, r"\$group"),
        ({"label": "a-b"}, "'label'"),
    ],
)
def test_every_mistake_is_named_by_its_key(load, changes, words):
    with pytest.raises(DeploymentError, match=words):
        load(**changes)


def test_a_parameter_of_the_judge_that_does_not_exist_is_named(load):
    with pytest.raises(ParameterError, match="alpah"):
        load(judge={"alpah": 0.1})


@pytest.mark.parametrize(("text", "words"), [("release: [", "not YAML"), ("", "no 'release'"), ("- a", "valid dict")])
def test_files_that_are_no_plan(tmp_path, text, words):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(DeploymentError, match=words):
        load_plan(path)
    with pytest.raises(DeploymentError, match="No such file"):
        load_plan(tmp_path / "other.yaml")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({}, "got none; wanted one of ssh, containers, processes"),
        ({"kind": "pigeon"}, "got 'pigeon'"),
        ({**SSH, "aply": "x"}, "target 'ssh': got unknown key 'aply'"),
        ({"kind": "ssh", "version": "x"}, "no 'apply'"),
        ({"kind": "containers", "image": "edge_ai"}, "'{release}' is wanted"),
        ({"kind": "containers", "image": "edge_ai:{release}", "spec": {"imagee": "x"}}, "imagee"),
        ({"kind": "processes", "command": [], "folder": "x"}, "'command'"),
    ],
)
def test_every_mistake_in_a_target_is_named(target, words):
    with pytest.raises(DeploymentError, match=words):
        make_target(target)


def test_another_release_is_another_rollout_and_other_criteria_are_other_evidence(load):
    plan = load()
    assert load(release="3").rollout_digest != plan.rollout_digest
    assert load(hosts=["robot1"]).rollout_digest != plan.rollout_digest
    assert load(interval=15).rollout_digest == plan.rollout_digest
    assert load(interval=15).evidence_digest != plan.evidence_digest
    assert load(patience=7200).evidence_digest == plan.evidence_digest


def test_the_plan_of_the_documentation_is_one(tmp_path):
    plan, criteria = re.findall(r"```yaml\n(.*?)```", DOC.read_text(), re.DOTALL)
    path = tmp_path / "plan.yaml"
    path.write_text(plan + criteria)
    made = load_plan(path)
    make_target(made.target)
    assert [criterion.name for criterion in made.criteria] == ["error rate", "frame rate", "gone", "agreement"]


def test_the_documentation_has_the_defaults(load):
    text, plan = DOC.read_text(), load()
    for key in ("stages", "interval", "settle", "least", "patience", "label", "parallel"):
        value = getattr(plan, key)
        said = f"{value:g} s" if isinstance(value, float) else str(value)
        assert f"| `{key}` | {said} |" in text
    for criterion in DEFAULTS:
        assert f"| `{criterion.name}` | {criterion.limit * (1000 if criterion.name == 'latency' else 100):g} " in text
