"""Golden answers of a blue-green deployment, from a real Triton with the shipped detector."""

import json
import shutil
from pathlib import Path

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.golden import check_golden, record_golden
from edge_ai.deployment.blue_green.plan import Plan

PICTURE = Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"  # pedestrians on a square


def test_what_a_real_server_answers_is_recorded_and_found_again(triton, tmp_path):
    shutil.copy(PICTURE, tmp_path)
    side = {"release": "1", "process": {"command": ["x"]}, "api": triton.http}
    golden = {"model": "nanodet_g_416", "folder": "."}
    plan = Plan.model_validate(
        {
            "serve": "blue",
            "sides": {"blue": side, "green": side},
            "traffic": {"socket": "s", "backends": ["b"]},
            "checks": {"golden": golden, "timeout": 20.0},
        }
    )
    answers = record_golden(plan, "blue", tmp_path)
    boxes = json.loads(answers.read_text())["demo.jpg"]
    assert len(boxes) >= 3
    assert check_golden(plan.checks.golden, tmp_path, triton.http, 20.0) == "golden answers on 1 pictures"

    for box in boxes:
        box["corners"] = [value + 200 for value in box["corners"]]
    answers.write_text(json.dumps({"demo.jpg": boxes}))
    with pytest.raises(DeploymentError, match=r"demo\.jpg"):
        check_golden(plan.checks.golden, tmp_path, triton.http, 20.0)
