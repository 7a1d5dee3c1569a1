"""The names under which Prometheus knows our readings: base units, the unit last, what varies as a label."""

from __future__ import annotations

import functools
from dataclasses import dataclass

PREFIX = "edge_ai_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One series of Prometheus.

    Attributes:
        name: without prefix.
        help: what it is, in a sentence.
        labels: names and values.
    """

    name: str
    help: str
    labels: tuple[tuple[str, str], ...] = ()


_WHOLE = {
    "cpu": ("cpu_usage_ratio", "CPU load over all cores."),
    "gpu": ("gpu_usage_ratio", "GPU load."),
    "memory": ("memory_usage_ratio", "Memory in use."),
    "swap": ("swap_usage_ratio", "Swap space in use."),
    "disk": ("disk_usage_ratio", "Disk space in use, on the volume of the models."),
    "memory_used": ("memory_used_bytes", "Memory in use."),
    "memory_total": ("memory_size_bytes", "Memory of the machine."),
    "gpu_memory_used": ("gpu_memory_used_bytes", "Memory that the GPU holds."),
    "gpu_memory_total": ("gpu_memory_size_bytes", "Memory that the GPU can have."),
    "disk_free": ("disk_free_bytes", "Disk space left, on the volume of the models."),
    "temperature": ("hottest_temperature_celsius", "Temperature of the hottest sensor."),
    "power": ("board_power_watts", "Power that the whole board takes."),
    "throttled": ("throttled", "1: clocks are held down for heat or current."),
    "monitor/load": ("monitor_cpu_cores", "Cores that the monitor itself takes."),
    "monitor/late": ("monitor_lateness_seconds", "How late the monitor's last look was."),
    "fps": ("results_per_second", "Results of the robot as a whole."),
    "fps_share": ("results_target_ratio", "Results of the robot against what is wanted."),
    "kept_share": ("results_captured_ratio", "Results of the robot against the frames that its cameras give."),
    "age": ("result_age_seconds", "From capture to result, median of the last period."),
    "processing": ("result_processing_seconds", "Work on a result without waiting, median of the last period."),
}
_GROUPS = {
    "cpu": ("cpu_core_usage_ratio", "core", "Load of each core."),
    "temperature": ("temperature_celsius", "zone", "Temperature of each sensor."),
    "power": ("rail_power_watts", "rail", "Power of each rail."),
    "fan": ("fan_ratio", "fan", "Drive of each fan."),
    "clock": ("clock_hertz", "clock", "Clocks of the processors."),
    "engine": ("engine_hertz", "engine", "Clocks of fixed-function engines; 0: idle."),
}
_NODE = {
    "rate": ("node_results_per_second", "Frames or results of each node."),
    "dropped": ("node_dropped_frames_per_second", "Frames replaced by newer ones."),
    "failed": ("node_failed_frames_per_second", "Frames without a result."),
    "queue": ("node_queue_frames", "Frames that wait."),
    "batch": ("node_batch_images", "Images in one inference, mean."),
    "memory": ("node_memory_bytes", "Resident memory of the node's process."),
    "cpu": ("node_cpu_cores", "Cores that the node's process takes."),
    "bandwidth": ("node_bandwidth_bytes_per_second", "Bandwidth to the server."),
    "cloud_latency": ("node_cloud_latency_seconds", "Expected time of an answer from the server."),
    "commands": ("node_commands_per_second", "Commands given."),
    "refused": ("node_refused_results_per_second", "Results too old or malformed to act on."),
    "cloud_ready": ("node_cloud_ready", "1: the server can be asked."),
    "stopped": ("node_stopped", "1: the emergency stop is on."),
}
_SPANS = {
    "age": ("node_age_seconds", "From capture to result."),
    "processing": ("node_processing_seconds", "Work on a result, without waiting."),
    "wait": ("node_wait_seconds", "How long frames wait."),
}
_STAGE = ("node_stage_seconds", "Work of each stage.")
_OTHER = ("reading", "Readings without a name of their own here.")
_NETWORK = {
    "rx": ("network_receive_bytes_per_second", "Received by each interface."),
    "tx": ("network_transmit_bytes_per_second", "Sent by each interface."),
}
_SHARES = ("edge_share", "cloud_share", "skip_share")


@functools.lru_cache(maxsize=4096)
def node_of(reading: str) -> tuple[str, str]:
    """The node a reading is of, with its namespace, and the rest of its name; "": the machine or the whole robot."""
    head = reading.partition("/")[0]
    if "/" not in reading or head in (*_GROUPS, "network", "monitor"):
        return "", reading
    node, _, what = reading.rpartition("/")
    return node, what


@functools.lru_cache(maxsize=4096)
def metric_of(reading: str) -> Metric:
    """The series a reading belongs to; one that nobody foresaw is `edge_ai_reading{name="..."}`."""
    if reading in _WHOLE:
        return Metric(*_WHOLE[reading])
    head, slash, rest = reading.partition("/")
    if slash and head == "network" and rest.rpartition("/")[2] in _NETWORK:
        interface, _, way = rest.rpartition("/")
        return Metric(*_NETWORK[way], (("interface", interface),))
    if slash and head in _GROUPS:
        name, label, words = _GROUPS[head]
        return Metric(name, words, ((label, rest),))
    node, slash, what = reading.rpartition("/")
    return (_of_node(node, what) if slash else None) or Metric(*_OTHER, (("name", reading),))


def _of_node(node: str, what: str) -> Metric | None:
    if what in _NODE:
        return Metric(*_NODE[what], (("node", node),))
    if what in _SHARES:
        labels = (("node", node), ("by", what.removesuffix("_share")))
        return Metric("node_frames_ratio", "Share of the frames by who answers them.", labels)
    span, _, percentile = what.rpartition("_p")
    if not (span and percentile.isdigit()):
        return None
    ends = (("node", node), ("percentile", percentile))
    if span in _SPANS:
        return Metric(*_SPANS[span], ends)
    return Metric(*_STAGE, (("node", node), ("stage", span), ("percentile", percentile)))
