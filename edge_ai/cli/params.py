"""edge-ai params: the parameters of every node, as YAML files or as a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from edge_ai.core.params import Params

_PREFACE = """# Parameters

Made by `edge-ai params table`; the defaults stand in the code, a test compares. *Live* parameters may change while the
node is active, the others before it is configured. `pipeline_node` takes those of camera, inference, control and router
with the prefixes `camera.`, `inference.`, `control.` and `router.`; those under `cloud.` belong to router and pipeline,
those under `swap.` to inference and pipeline, those under `power.` to monitor, those under `process.` to every node but
lifecycle_manager.
"""


def node_classes() -> dict[str, Mapping[str, type[Params]]]:
    """Parameter classes by node and prefix."""
    from edge_ai.capture.params import CameraParams
    from edge_ai.control.params import ControlParams
    from edge_ai.dashboard.params import DashboardParams
    from edge_ai.monitoring.params import MonitorParams, PowerParams
    from edge_ai.realtime.params import RealtimeParams
    from edge_ai.recording.params import RecorderParams
    from edge_ai.routing.params import CloudParams, RouterParams
    from edge_ai.runtime.cloud_service import CloudServiceParams
    from edge_ai.runtime.params import InferenceParams
    from edge_ai.runtime.supervision import LifecycleManagerParams
    from edge_ai.runtime.swap.params import SwapParams

    process: dict[str, type[Params]] = {"process.": RealtimeParams}
    return {
        "camera": {"": CameraParams, **process},
        "inference": {"": InferenceParams, "swap.": SwapParams, **process},
        "control": {"": ControlParams, **process},
        "router": {"": RouterParams, "cloud.": CloudParams, **process},
        "pipeline": {
            "camera.": CameraParams,
            "inference.": InferenceParams,
            "swap.": SwapParams,
            "control.": ControlParams,
            "router.": RouterParams,
            "cloud.": CloudParams,
            **process,
        },
        "cloud": {"": CloudServiceParams, "inference.": InferenceParams, "cloud.": CloudParams, **process},
        "monitor": {"": MonitorParams, "power.": PowerParams, **process},
        "recorder": {"": RecorderParams, **process},
        "dashboard": {"": DashboardParams, **process},
        "lifecycle_manager": {"": LifecycleManagerParams},
    }


def yaml_files() -> dict[str, str]:
    """The text of each file of config/, by file name."""
    from edge_ai.runtime.param_files import template

    return {f"{node}.yaml": template(node, classes) for node, classes in node_classes().items()}


def reference() -> str:
    """The reference page: a table a node, in Markdown."""
    from edge_ai.runtime.param_files import table

    parts, nodes = [_PREFACE], node_classes()
    for node, classes in nodes.items():
        if node != "pipeline":
            parts.append(f"## {node}_node\n\n{table(classes[''])}")
    parts.append(f"## cloud.\n\n{table(nodes['router']['cloud.'])}")
    parts.append(f"## swap.\n\n{table(nodes['inference']['swap.'])}")
    parts.append(f"## power.\n\n{table(nodes['monitor']['power.'])}")
    parts.append(f"## process.\n\n{table(nodes['pipeline']['process.'])}")
    return "\n".join(parts)


class ParamsCommand:
    """Writes what the documentation and config/ hold."""

    summary = "show the parameters of every node"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("form", choices=["table", "yaml"], help="a Markdown page, or parameter files")
        parser.add_argument("--into", type=Path, metavar="FOLDER", help="write files there instead of printing")

    def main(self, options: argparse.Namespace) -> int:
        files = yaml_files() if options.form == "yaml" else {"parameters.md": reference()}
        for name, text in files.items():
            if options.into is None:
                print(text)
            else:
                options.into.mkdir(parents=True, exist_ok=True)
                (options.into / name).write_text(text)
        return 0
