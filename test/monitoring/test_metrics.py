"""What Prometheus reads: names and units by its conventions, nothing that is not known."""

import math
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")
from prometheus_client.parser import text_string_to_metric_families

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.metric_names import metric_of, node_of
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample

ROOT = Path(__file__).resolve().parents[2]
PROMTOOL = shutil.which("promtool") or ROOT / "out" / "programs" / "prometheus" / "usr" / "bin" / "promtool"

READINGS = {
    "cpu": 0.42,
    "cpu/0": 0.5,
    "cpu/1": 0.34,
    "memory": 0.6,
    "swap": 0.0,
    "gpu": math.nan,
    "disk": 0.3,
    "memory_used": 2e9,
    "memory_total": 8e9,
    "gpu_memory_used": 1e9,
    "gpu_memory_total": 8e9,
    "disk_free": 5e10,
    "temperature": 61.5,
    "temperature/CPU-therm": 61.5,
    "power": 7.5,
    "power/VDD_IN": 7.4,
    "throttled": 0.0,
    "network/eth0/rx": 1000.0,
    "network/eth0/tx": 50.0,
    "fan/pwm0": 0.3,
    "clock/gpu": 9e8,
    "engine/NVENC": 0.0,
    "monitor/load": 0.004,
    "monitor/late": 0.0,
    "fps": 9.9,
    "fps_share": 0.99,
    "kept_share": 1.0,
    "age": 0.05,
    "processing": 0.04,
    "front/camera/rate": 10.0,
    "inference/age_p50": 0.05,
    "inference/age_p95": 0.08,
    "inference/age_p99": 0.09,
    "inference/infer_p50": 0.03,
    "inference/processing_p50": 0.04,
    "inference/wait_p99": 0.01,
    "inference/dropped": 1.5,
    "inference/failed": 0.0,
    "inference/queue": 1.0,
    "inference/batch": 1.2,
    "inference/memory": 3e8,
    "inference/cpu": 0.9,
    "router/edge_share": 0.7,
    "router/cloud_share": 0.3,
    "router/skip_share": 0.0,
    "router/cloud_latency": 0.08,
    "router/bandwidth": 1e6,
    "router/cloud_ready": 1.0,
    "control/commands": 50.0,
    "control/refused": 0.0,
    "control/stopped": 0.0,
    "cups_of_tea": 3.0,
}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def metrics(clock):
    told = Metrics(clock)
    texts = {"board": "Jetson Orin Nano 8GB", "power_mode": "15W"}
    told.sample(Sample(clock.stamp_ns(), clock.steady_ns(), READINGS, texts, {"NVML": "no driver"}))
    return told


def read(metrics):
    """Values by name and labels, as Prometheus's own parser sees them."""
    body, _ = metrics.render()
    families = text_string_to_metric_families(body.decode())
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_readings_have_names_with_units_and_labels(metrics):
    seen = read(metrics)
    assert seen["edge_ai_cpu_usage_ratio",] == 0.42
    assert seen["edge_ai_cpu_core_usage_ratio", ("core", "1")] == 0.34
    assert seen["edge_ai_temperature_celsius", ("zone", "CPU-therm")] == 61.5
    assert seen["edge_ai_memory_used_bytes",] == 2e9
    assert seen["edge_ai_rail_power_watts", ("rail", "VDD_IN")] == 7.4
    assert seen["edge_ai_node_results_per_second", ("node", "front/camera")] == 10.0
    assert seen["edge_ai_node_age_seconds", ("node", "inference"), ("percentile", "99")] == 0.09
    assert seen["edge_ai_node_age_seconds", ("node", "inference"), ("percentile", "95")] == 0.08
    stage = ("edge_ai_node_stage_seconds", ("node", "inference"), ("percentile", "50"), ("stage", "infer"))
    assert seen[stage] == 0.03
    assert seen["edge_ai_network_receive_bytes_per_second", ("interface", "eth0")] == 1000.0
    assert seen["edge_ai_node_frames_ratio", ("by", "cloud"), ("node", "router")] == 0.3
    assert seen["edge_ai_reading", ("name", "cups_of_tea")] == 3.0
    assert seen["edge_ai_source_fault", ("source", "NVML")] == 1
    board = ("edge_ai_board_info", ("board", "Jetson Orin Nano 8GB"), ("jetpack", ""), ("power_mode", "15W"))
    assert seen[board] == 1


def test_every_reading_that_is_known_is_there_and_no_other(metrics):
    seen = read(metrics)
    for name, value in READINGS.items():
        metric = metric_of(name)
        key = (f"edge_ai_{metric.name}", *sorted(metric.labels))
        assert (seen[key] == value) if not math.isnan(value) else key not in seen


def test_what_was_measured_long_ago_is_not_shown(metrics, clock):
    clock.advance(11)
    seen = read(metrics)
    assert ("edge_ai_cpu_usage_ratio",) not in seen
    assert seen["edge_ai_sample_age_seconds",] == pytest.approx(11)


def test_alerts_are_shown_while_they_last_and_counted_once_each(metrics):
    hot = Alert("temperature", Level.ERROR, "90 degrees", 0)
    for active in ([hot], [hot], [], [hot]):
        metrics.alerts(active)
    seen = read(metrics)
    assert seen["edge_ai_alert_active", ("level", "error"), ("name", "temperature")] == 1
    assert seen["edge_ai_alerts_total", ("name", "temperature")] == 2
    metrics.alerts([])
    assert not [key for key in read(metrics) if key[0] == "edge_ai_alert_active"]


def test_ladder_router_and_recorder_are_there_once_they_are_told_of(metrics):
    assert not [key for key in read(metrics) if "mitigation" in key[0] or "_router_" in key[0] or "recorder" in key[0]]
    metrics.mitigation({"level": 2, "changes": 5})
    metrics.router(
        {"edge_answers": 70, "cloud_answers": 30, "bytes_sent": 1e6, "edge_share": 0.7, "cloud_latency": 0.1}
    )
    metrics.recorder({"recording": True, "files": 3, "disk_bytes": 1e7, "lost": 0})
    seen = read(metrics)
    assert seen["edge_ai_mitigation_level",] == 2
    assert seen["edge_ai_mitigation_changes_total",] == 5
    assert seen["edge_ai_router_answers_total", ("kind", "cloud")] == 30
    assert seen["edge_ai_router_frames_ratio", ("by", "edge")] == 0.7
    assert seen["edge_ai_recorder_recording",] == 1
    assert seen["edge_ai_recorder_lost_messages_total",] == 0


def test_updates_of_the_model_are_counted_and_said(metrics):
    assert not [key for key in read(metrics) if "model" in key[0]]
    said = {"state": "probation", "active": "nano 2", "candidate": "nano 2", "switches": 3, "rollbacks": 1}
    metrics.model_update(said)
    seen = read(metrics)
    assert seen["edge_ai_model_switches_total",] == 3
    assert seen["edge_ai_model_rollbacks_total",] == 1
    info = ("active", "nano 2"), ("candidate", "nano 2"), ("state", "probation")
    assert seen[("edge_ai_model_update_info", *info)] == 1


def test_the_process_and_the_build_tell_of_themselves(metrics):
    seen = read(metrics)
    assert any(key[0] == "edge_ai_build_info" for key in seen)
    assert seen["process_resident_memory_bytes",] > 1e6


def test_open_metrics_for_those_who_ask_for_it(metrics):
    body, content_type = metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_nothing_measured_yet(clock):
    assert ("edge_ai_samples_total",) in read(Metrics(clock))


@pytest.mark.skipif(not Path(PROMTOOL).exists(), reason="no promtool; tools/programs.py fetches Debian's")
def test_prometheus_finds_nothing_to_complain_about(metrics):
    metrics.alerts([Alert("temperature", Level.ERROR, "90 degrees", 0)])
    metrics.mitigation({"level": 2, "changes": 5})
    metrics.router({"edge_answers": 7, "failovers": 1, "bytes_sent": 9, "edge_share": 0.7, "cloud_latency": 0.1})
    metrics.recorder({"recording": True, "files": 3, "disk_bytes": 7, "lost": 0, "messages": 8, "buffered_bytes": 3})
    metrics.model_update({"state": "idle", "active": "nano 2", "candidate": "", "switches": 3, "rollbacks": 1})
    body, _ = metrics.render()
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("reading", "node", "what"),
    [
        ("cpu/0", "", "cpu/0"),
        ("monitor/load", "", "monitor/load"),
        ("fps", "", "fps"),
        ("inference/rate", "inference", "rate"),
        ("front/camera/rate", "front/camera", "rate"),
        ("network/eth0/rx", "", "network/eth0/rx"),
    ],
)
def test_whose_reading_it_is(reading, node, what):
    assert node_of(reading) == (node, what)
