"""The manifests for Argo Rollouts, as far as they can be held against each other and against ours without a cluster."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from edge_ai.deployment.canary.criteria import DEFAULTS
from edge_ai.deployment.canary.stages import Stages

ROOT = Path(__file__).resolve().parents[3]
ARGO = ROOT / "cloud" / "argo"
PROMTOOL = ROOT / "out/programs/prometheus/usr/bin/promtool"
SUCCESS = re.compile(r"len\(result\) > 0 && all\(result, # (<=|==) ([\d.]+)\)")
FAILURE = re.compile(r"any\(result, # > ([\d.]+)\)")


def documents(name):
    return list(yaml.safe_load_all((ARGO / name).read_text()))


@pytest.fixture
def rollout():
    return documents("rollout.yaml")[0]["spec"]


@pytest.fixture
def templates():
    return {one["metadata"]["name"]: one["spec"] for one in documents("analysis.yaml")}


@pytest.fixture
def metrics(templates):
    return {metric["name"]: metric for spec in templates.values() for metric in spec["metrics"]}


def analyses(rollout):
    return [step["analysis"] for step in rollout["strategy"]["canary"]["steps"] if "analysis" in step]


def test_the_stages_are_those_of_the_command(rollout):
    weights = [step["setWeight"] for step in rollout["strategy"]["canary"]["steps"] if "setWeight" in step]
    assert [weight / 100 for weight in weights] == list(Stages().shares)
    kinds = [next(iter(step)) for step in rollout["strategy"]["canary"]["steps"]]
    assert kinds == ["setWeight", "pause", "analysis"] * len(weights)


def test_every_analysis_names_templates_that_exist_and_gives_them_what_they_want(rollout, templates):
    for analysis in analyses(rollout):
        given = {arg["name"] for arg in analysis["args"]}
        for name in (one["templateName"] for one in analysis["templates"]):
            wanted = {arg["name"] for arg in templates[name]["args"] if "value" not in arg}
            assert wanted <= given
    assert {one["templateName"] for one in analyses(rollout)[-1]["templates"]} == {"edge-ai-limits"}


def test_every_argument_that_is_used_is_declared(templates):
    for spec in templates.values():
        used = set(re.findall(r"\{\{args\.([\w-]+)\}\}", json.dumps(spec["metrics"])))
        assert used == {arg["name"] for arg in spec["args"]}


def test_each_metric_fails_beyond_what_it_passes_within_and_says_nothing_without_data(metrics):
    for name, metric in metrics.items():
        success = SUCCESS.fullmatch(metric["successCondition"])
        if name == "heard":
            assert (success.groups(), metric["failureCondition"]) == (("==", "1"), "false")
        else:
            assert success.groups() == ("<=", FAILURE.fullmatch(metric["failureCondition"])[1])


def test_two_looks_at_a_robot_s_values_or_one_at_all_else_are_enough_and_only_good_ones_in_a_row_end_a_stage(metrics):
    stages, values = Stages(), {"latency", "cpu", "memory"}
    for name, metric in metrics.items():
        assert metric["failureLimit"] == (1 if name in values else 0)
        assert metric["interval"] == f"{stages.interval:g}s"
        assert metric["consecutiveSuccessLimit"] * stages.interval == stages.least
        assert metric["count"] * stages.interval == stages.patience
        # Else Argo calls a run inconclusive, or in error and takes it back, before the patience is over.
        assert metric["inconclusiveLimit"] == metric["consecutiveErrorLimit"] == metric["count"]


def test_the_limits_are_those_of_the_command(metrics):
    for criterion in DEFAULTS:
        metric = metrics[criterion.name.replace(" ", "-")]
        assert float(FAILURE.fullmatch(metric["failureCondition"])[1]) == criterion.limit


def test_the_metrics_and_labels_are_those_that_are_scraped(metrics):
    (job,) = documents("scrape.yaml")[0]["scrape_configs"]
    scraped = {relabel["target_label"] for relabel in job["relabel_configs"] if "target_label" in relabel}
    (kept,) = (relabel["regex"] for relabel in job["metric_relabel_configs"])
    ours = {name for c in DEFAULTS for q in (c.query, c.bad, c.total) for name in re.findall(r"edge_ai_\w+", q or "")}
    assert all(re.fullmatch(kept, name) for name in ours)
    for metric in metrics.values():
        query = metric["provider"]["prometheus"]["query"]
        assert set(re.findall(r"edge_ai_\w+", query)) <= ours
        assert set(re.findall(r"by \((\w+)\)|\{(\w+)=", query)) <= {(a, "") for a in scraped} | {
            ("", b) for b in scraped
        }


@pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool; tools/programs.py fetches Debian's")
def test_errors_are_told_from_a_burst_and_without_traffic_there_is_no_share(metrics, tmp_path):
    """One robot fails a tenth, one has failed for a second, one had traffic until a minute ago."""
    query = metrics["error-rate"]["provider"]["prometheus"]["query"].replace("{{args.canary}}", "new")
    fared = {
        "a": {"failed_frames": "3x180", "results": "27x180"},
        "b": {"failed_frames": "0x169 30 0x10", "results": "30x180"},
        "c": {"failed_frames": "0x180", "results": "30x119 0x60"},
    }
    labels = 'rollout="new",node="pipeline"'
    series = [
        {"series": f'edge_ai_node_{kind}_per_second{{robot="{robot}",{labels}}}', "values": values}
        for robot, kinds in fared.items()
        for kind, values in kinds.items()
    ]
    asked = [
        {
            "expr": f"count by (robot) (({query}) {found})",
            "eval_time": "3m",
            "exp_samples": [{"labels": label, "value": 1}],
        }
        for found, label in (("> 0.01", '{robot="a"}'), ("<= 0.01", '{robot="b"}'))
    ]
    tests = [{"interval": "1s", "input_series": series, "promql_expr_test": asked}]
    (tmp_path / "tests.yml").write_text(json.dumps({"evaluation_interval": "1s", "tests": tests}))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", tmp_path / "tests.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool; tools/programs.py fetches Debian's")
def test_prometheus_understands_the_queries_and_the_job(metrics, tmp_path):
    queries = [
        metric["provider"]["prometheus"]["query"].replace("{{args.", "").replace("}}", "")
        for metric in metrics.values()
    ]
    rules = [{"record": f"argo:metric:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "argo", "rules": rules}]}))
    # Debian's is built without discovery in Kubernetes: the rest of the job is what can be checked.
    job = (ARGO / "scrape.yaml").read_text().replace("kubernetes_sd_configs:\n      - role: pod", "static_configs: []")
    (tmp_path / "prometheus.yml").write_text(job)
    for what, path in (("rules", tmp_path / "rules.yml"), ("config", tmp_path / "prometheus.yml")):
        done = subprocess.run([PROMTOOL, "check", what, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_pod_is_no_more_than_a_robot_needs(rollout):
    pod = rollout["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        hardened = container["securityContext"]
        assert hardened["readOnlyRootFilesystem"] is True
        assert hardened["allowPrivilegeEscalation"] is False
        assert hardened["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    labels = rollout["template"]["metadata"]["labels"]
    assert rollout["selector"]["matchLabels"] == labels
    (rule,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["labelSelector"]["matchLabels"] == labels
    assert rollout["strategy"]["canary"]["maxSurge"] == 0  # a robot has room for one


def test_containers_are_those_of_the_compose_file(rollout):
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    for container in rollout["template"]["spec"]["containers"]:
        assert container["args"] == compose[container["name"]]["command"]


def test_all_files_come_along(rollout):
    (kustomization,) = documents("kustomization.yaml")
    assert sorted([*kustomization["resources"], "kustomization.yaml", "scrape.yaml"]) == sorted(
        path.name for path in ARGO.iterdir()
    )
