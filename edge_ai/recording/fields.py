"""This package's values as the fields of their messages, by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edge_ai.capture.calibration import Calibration
from edge_ai.control.command import Command
from edge_ai.core.clock import NS
from edge_ai.core.types import Classification, Detections, Result, Segmentation
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample

Fields = dict[str, Any]

_NAN = math.nan


def time(stamp_ns: int) -> Fields:
    """builtin_interfaces/Time."""
    return {"sec": stamp_ns // NS, "nanosec": stamp_ns % NS}


def header(stamp_ns: int, frame_id: str = "") -> Fields:
    """std_msgs/Header."""
    return {"stamp": time(stamp_ns), "frame_id": frame_id}


def reading_list(readings: Iterable[tuple[str, float]]) -> list[Fields]:
    """edge_ai/Reading[]."""
    return [{"name": name, "value": value} for name, value in readings]


def result(result: Result, dropped: int) -> Fields:
    """edge_ai/InferenceResult."""
    found = result.header
    fields: Fields = {
        "header": header(found.stamp_ns, found.frame_id),
        "source": result.source,
        "reason": result.reason,
        "model_name": result.model_name,
        "model_version": result.model_version,
        "image_width": found.width,
        "image_height": found.height,
        "detections": _detections(result.detections),
        "timings": [{"stage": stage, "duration": seconds} for stage, seconds in result.timings.items()],
        "dropped": dropped,
    }
    if result.classification is not None:
        fields["classifications"] = _classes(result.classification)
    if result.segmentation is not None:
        fields["segmentation"] = _mask(result.segmentation, fields["header"])
    return fields


def _detections(found: Detections) -> list[Fields]:
    boxes, scores, ids = found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist()
    fields = [
        {"class_id": ids[i], "class_name": found.name(i), "score": scores[i], "track_id": -1, **_box(boxes[i])}
        for i in range(len(found))
    ]
    if found.keypoints is not None and found.keypoint_names:
        for one, points in zip(fields, found.keypoints.tolist(), strict=True):
            named = zip(found.keypoint_names, points, strict=True)
            one["keypoints"] = [{"name": name, "x": x, "y": y, "score": score} for name, (x, y, score) in named]
    return fields


def _box(box: Sequence[float]) -> Fields:
    return dict(zip(("x_min", "y_min", "x_max", "y_max"), box, strict=True))


def _classes(found: Classification) -> list[Fields]:
    both = zip(found.class_ids.tolist(), found.scores.tolist(), strict=True)
    return [{"class_id": number, "class_name": found.name(i), "score": score} for i, (number, score) in enumerate(both)]


def _mask(found: Segmentation, header: Fields) -> Fields:
    height, width = found.mask.shape
    return {
        "header": header,
        "height": height,
        "width": width,
        "encoding": "mono8",
        "step": width,
        "data": found.mask.tobytes(),
    }


def command(command: Command, stamp_ns: int, frame_id: str) -> Fields:
    """edge_ai/ControlStatus."""
    fields: Fields = {
        "header": header(stamp_ns, frame_id),
        "state": int(command.state),
        "reason": command.reason,
        "command": {"linear": {"x": command.velocity.linear}, "angular": {"z": command.velocity.angular}},
        "commands": command.commands,
        "refused": command.refused,
    }
    if command.header is not None:
        fields |= {"has_result": True, "result_stamp": time(command.header.stamp_ns), "age": command.age_s or 0.0}
    if command.target is not None:
        target = command.target
        fields["has_target"] = True
        fields["target"] = {
            "class_id": target.class_id,
            "class_name": target.class_name,
            "score": target.score,
            "track_id": target.track_id,
            **_box(target.box),
        }
    return fields


def calibration(calibration: Calibration, stamp_ns: int, frame_id: str) -> Fields:
    """sensor_msgs/CameraInfo."""
    fields = asdict(calibration)
    del fields["camera_name"]
    return {"header": header(stamp_ns, frame_id), **fields}


def alert(alert: Alert) -> Fields:
    """edge_ai/Alert."""
    return {
        "name": alert.name,
        "level": int(alert.level),
        "message": alert.message,
        "since": time(alert.since_ns),
        "mitigation": alert.mitigation,
        "active": alert.active,
        "metric": alert.metric,
        "value": alert.value,
        "limit": alert.limit,
    }


def mitigation(status: MitigationStatus, stamp_ns: int) -> Fields:
    """edge_ai/MitigationStatus."""
    return {
        "header": header(stamp_ns),
        "level": status.level,
        "changes": status.changes,
        "message": status.message,
        "steps": [
            {
                "name": step.name,
                "state": int(step.state),
                "detail": step.detail,
                "since": time(step.since_ns),
                "before": reading_list(step.before.items()),
                "after": reading_list(step.after.items()),
            }
            for step in status.steps
        ],
    }


def sample(sample: Sample, alerts: Sequence[Alert], fps_target: float) -> Fields:
    """edge_ai/SystemStatus."""
    readings = sample.readings
    get = readings.get
    return {
        "header": header(sample.stamp_ns),
        "board": sample.texts.get("board", ""),
        "cpu_load": get("cpu", _NAN),
        "cpu_core_load": [value for name, value in readings.items() if name.startswith("cpu/")],
        "gpu_load": get("gpu", _NAN),
        **{name: _whole(get(name, _NAN)) for name in ("memory_used", "memory_total")},
        **{name: _whole(get(name, _NAN)) for name in ("gpu_memory_used", "gpu_memory_total", "disk_free")},
        "temperatures": _under(readings, "temperature/"),
        "power": _under(readings, "power/") + reading_list(("total", readings[n]) for n in ("power",) if n in readings),
        "network": _under(readings, "network/"),
        "throttled": get("throttled", 0.0) > 0,
        "power_mode": sample.texts.get("power_mode", ""),
        "node_rates": _of_nodes(readings, "/rate"),
        "node_latencies": _of_nodes(readings, "/age_p50"),
        "alerts": [alert(one) for one in alerts],
        **{name: get(name, _NAN) for name in ("memory", "disk", "temperature", "fps", "age")},
        "board_power": get("power", _NAN),
        "fps_target": fps_target,
        "monitor_load": get("monitor/load", _NAN),
        "faults": [f"{name}: {why}" for name, why in sample.faults.items()],
        "readings": reading_list(readings.items()),
    }


def _whole(value: float) -> int:
    """Bytes; 0 for what is not known, for the field has no NaN."""
    return round(value) if math.isfinite(value) and value > 0 else 0


def _under(readings: Mapping[str, float], prefix: str) -> list[Fields]:
    return reading_list((name[len(prefix) :], value) for name, value in readings.items() if name.startswith(prefix))


def _of_nodes(readings: Mapping[str, float], suffix: str) -> list[Fields]:
    return reading_list((name[: -len(suffix)], value) for name, value in readings.items() if name.endswith(suffix))
