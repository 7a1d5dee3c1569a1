"""Plans: what is wrong with one is named by its key."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import Plan, load_plan
from edge_ai.deployment.plan_file import parse

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "doc" / "blue_green.md").read_text()
SIDE = {"release": "1", "container": {"image": "edge_ai/robot:1"}, "ros": {"managers": ["/blue/lifecycle_manager"]}}
GREEN = {**SIDE, "release": "2", "ros": {"managers": ["/green/lifecycle_manager"]}}
GOOD = {
    "serve": "green",
    "sides": {"blue": SIDE, "green": GREEN},
    "traffic": {"socket": "/run/haproxy/edge_ai.sock", "backends": ["triton_http"]},
}


def read(tmp_path, content):
    path = tmp_path / "plan.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load_plan(path)


def changed(**keys):
    """The good plan with values by dotted keys; None takes a key away."""
    content = copy.deepcopy(GOOD)
    for key, value in keys.items():
        *way, last = key.split("__")
        place = content
        for part in way:
            place = place.setdefault(part, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return content


def test_a_plan_survives_the_journal(tmp_path):
    container = {
        "image": "a:1",
        "ports": {8000: "127.0.0.1:8100"},
        "command": ["tritonserver"],
        "devices": ["/dev/video0"],
    }
    plan = read(tmp_path, changed(sides__green__container=container))
    again = parse(json.loads(json.dumps(plan.model_dump(mode="json"))), Plan, "journal")
    assert again == plan
    assert again.sides["green"].digest == plan.sides["green"].digest
    assert again.sides["green"].container.digest == plan.sides["green"].container.digest
    assert plan.journal_of(tmp_path / "plan.yaml") == tmp_path / "plan.journal.jsonl"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(serve="red"), r"'serve' = 'red'"),
        (changed(sides__red=SIDE), r"sides\.red"),
        (changed(sides__blue=None), "no 'blue' in 'sides'"),
        (changed(sides__blue__container=None), "either 'container' or 'process'"),
        (changed(sides__blue__process={"command": ["x"]}), "either 'container' or 'process'"),
        (changed(sides__blue__container__image=None), r"no 'sides\.blue\.container\.image'"),
        (changed(sides__blue__container__privileged=True), r"unknown key 'sides\.blue\.container\.privileged'"),
        (changed(sides__blue__container__ports={8000: "8100"}), r"ports\.8000"),
        (changed(sides__blue__ready="localhost:8000"), r"sides\.blue\.ready"),
        (changed(sides__green__ros=None), "'ros' in both sides or in none"),
        (changed(sides__green__ros=SIDE["ros"]), "give each its namespace"),
        (changed(traffic__shares=[0.1, 1.5]), r"traffic\.shares\.1"),
        (changed(checks__golden={"model": "eye", "folder": "golden"}), "wants the 'api' of both sides"),
        (changed(checks__period=float("nan")), r"checks\.period"),
        (changed(probation="long"), "'probation' = 'long'"),
        (changed(traffic=None, sides__blue__ros=None, sides__green__ros=None), "nothing says which side is in charge"),
        ("serve: [", "is not YAML"),
        ("", "no 'serve'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, words):
    with pytest.raises(DeploymentError, match=words):
        read(tmp_path, content)


def test_a_plan_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DeploymentError, match=r"none\.yaml': got No such file"):
        load_plan(tmp_path / "none.yaml")


def test_the_plans_of_the_page_are_some(tmp_path):
    servers, robot = (read(tmp_path, part.split("```")[0]) for part in PAGE.split("```yaml\n")[1:])
    assert servers.sides["green"].process.command[-1] == "2"
    assert [side.container.environment["EDGE_AI_SIDE"] for side in robot.sides.values()] == ["blue", "green"]
    assert [side.container.image[-3:] for side in robot.sides.values()] == ["1.4", "1.5"]


def test_the_plan_of_a_robot_fits_its_image(tmp_path):
    """What docker exec runs knows nothing of the image's entry point; only the folder of its user can be written."""
    plan = read(tmp_path, PAGE.split("```yaml\n")[2].split("```")[0])
    image = (ROOT / "docker" / "pc.Dockerfile").read_text()
    assert f'ENTRYPOINT ["{plan.hand_over.agent[0]}"]' in image
    for side in plan.sides.values():
        assert side.container.command[0] == "managed"
        named = [where for where, what in side.container.volumes.items() if not what.startswith("/")]
        assert named == [re.search(r"^VOLUME (.+)$", image, re.MULTILINE)[1]]
        assert f"XDG_RUNTIME_DIR={named[0]}/" in image
        assert not side.ready
