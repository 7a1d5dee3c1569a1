"""The layout shows topics and fields that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_ai.recording import messages
from edge_ai.recording.schemas import fields_of

LAYOUT = json.loads((Path(__file__).resolve().parents[2] / "config/foxglove_layout.json").read_text())
SCRIPT = LAYOUT["userNodes"]["edge-ai-detections"]["sourceCode"]
TOPICS = {
    "/camera/image_raw/compressed": messages.COMPRESSED_IMAGE,
    "/inference/results": messages.RESULT,
    "/control/status": messages.CONTROL_STATUS,
    "/monitor/status": messages.SYSTEM_STATUS,
    "/monitor/alerts": messages.ALERT,
    "/monitor/mitigation": messages.MITIGATION_STATUS,
    "/recorder/losses": messages.STRING,
    "/studio_script/detections": None,
}


def paths(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from paths(one)
        yield from (key for key in value if key.startswith("/"))
    elif isinstance(value, list):
        for one in value:
            yield from paths(one)
    elif isinstance(value, str) and value.startswith("/"):
        yield value


@pytest.mark.parametrize("path", sorted(set(paths(LAYOUT["configById"]))))
def test_topics_and_fields_exist(path):
    topic, *fields = path.split(".")
    kind = TOPICS[topic]
    for field in fields:
        kind = dict(fields_of(kind))[field.removesuffix("[:]")].removesuffix("[]")


def panels(layout):
    return [layout] if isinstance(layout, str) else panels(layout["first"]) + panels(layout["second"])


def test_every_panel_is_shown_once():
    assert sorted(panels(LAYOUT["layout"])) == sorted(LAYOUT["configById"])


def test_the_script_reads_fields_that_there_are():
    fields = {name for name, _ in fields_of("edge_ai/msg/Detection")}
    assert set(re.findall(r"\bfound\.(\w+)", SCRIPT)) <= fields
    assert set(re.findall(r"\bresult\.(\w+)", SCRIPT)) <= {name for name, _ in fields_of(messages.RESULT)}
    assert re.search(r'inputs = \["(.*)"\]', SCRIPT)[1] in TOPICS
    assert re.search(r'output = "(.*)"', SCRIPT)[1] in TOPICS


def test_the_script_draws_boxes():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to run it")
    untyped = re.sub(
        r"^(import|type) .*$|: (Input<.*?>|Output)|(?<=^)export (default )?", "", SCRIPT, flags=re.MULTILINE
    )
    found = {"x_min": 1, "y_min": 2, "x_max": 30, "y_max": 40, "class_name": "person", "score": 0.512}
    event = {"message": {"header": {"stamp": {"sec": 1, "nsec": 2}}, "detections": [found]}}
    run = f"{untyped}\nconsole.log(JSON.stringify(script({json.dumps(event)})))"
    done = subprocess.run([node, "-e", run], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    drawn = json.loads(done.stdout)
    assert drawn["texts"][0]["text"] == "person 0.51"
    assert drawn["points"][0]["points"][2] == {"x": 30, "y": 40}
