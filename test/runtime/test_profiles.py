"""Board profiles, without ROS."""

import re
from pathlib import Path

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.monitoring.ladder_file import plan_of
from edge_ai.platforms.boards import boards, jetpacks
from edge_ai.platforms.memory import GIB, MIB, memory_budget
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.profiles import profile_path, profile_values

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "config/profiles").glob("*.yaml"))
PROFILES = [path.stem for path in FILES]
SEEN = 0.95  # of a module's memory Linux sees about so much


def boards_of(profile):
    return [board for board in boards() if board.profile == profile]


def values(profile, node):
    return profile_values(ROOT / f"config/profiles/{profile}.yaml", node)


def inference(profile):
    return InferenceParams.parse(values(profile, "inference"), owner=profile)


@pytest.mark.parametrize("key", ["inference", "/inference", "/**/inference", "/**"])
def test_the_section_of_the_node_is_taken(tmp_path, key):
    path = tmp_path / "orin.yaml"
    path.write_text(f"{key}:\n  ros__parameters: {{precision: int8}}\nother:\n  ros__parameters: {{dla_core: 1}}\n")
    assert profile_values(path, "inference") == {"precision": "int8"}


def test_a_profile_is_found_by_its_name():
    assert profile_values(profile_path("generic_pc"), "inference")["backend"] == "auto"


def test_a_path_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    assert str(profile_path("mine.yaml")) == "mine.yaml"
    with pytest.raises(ParameterError, match=r"no file 'mine/orin\.yaml'"):
        profile_path("mine/orin.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "got list"),
        ("inference: {precision: int8}", "ros__parameters"),
        ("a: [", "YAML"),
        (None, "No such file"),
    ],
)
def test_what_is_no_parameter_file_is_said_to_be_none(tmp_path, text, said):
    path = tmp_path / "p.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ParameterError, match=said):
        profile_values(path, "inference")


def test_an_unknown_name_is_told():
    with pytest.raises(ParameterError, match="config/profiles"):
        profile_path("warp_core")


def test_every_board_that_names_a_profile_has_it_and_every_profile_has_a_board():
    assert {board.profile for board in boards()} - {""} == set(PROFILES) - {"generic_pc"}


@pytest.mark.parametrize("profile", PROFILES)
def test_one_process_and_single_nodes_are_told_the_same(profile):
    composed = values(profile, "pipeline")
    assert composed == {node: own for node in ("camera", "inference") if (own := values(profile, node))}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_choice_is_explained(profile):
    """Above it or above the line before, which it belongs to."""
    lines = (
        (ROOT / f"config/profiles/{profile}.yaml").read_text().partition("# The same for one process.")[0].split("\n")
    )
    keys = [number for number, line in enumerate(lines) if re.match(r" {4}\w+: \S", line)]
    assert keys
    for number in keys:
        assert any(line.lstrip().startswith("#") for line in lines[number - 3 : number]), lines[number]


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "generic_pc"])
def test_a_profile_asks_no_board_of_it_for_what_it_has_not(profile):
    params, mode = inference(profile), values(profile, "monitor")["power"]["mode"]
    for board in boards_of(profile):
        assert params.dla_core < board.dla
        assert params.precision != "int8" or board.int8_tops
        assert not mode or mode in [one.name for one in board.modes]
        room = memory_budget(int(min(board.memory_gb) * SEEN * GIB), shared=True).workspace
        assert params.engine_workspace * MIB <= room, board.key
        usable = [jetpack for jetpack in jetpacks() if jetpack.name in board.jetpacks and jetpack.tensorrt_backend]
        assert params.backend == ("auto" if usable else "onnxruntime"), board.key


def test_a_jetson_with_a_fan_drives_it_before_it_gives_up_frames():
    steps = {step.name: step for step in plan_of("").steps}
    order = list(steps)
    assert order.index("cool fan") < order.index("fewer frames") < order.index("stop")
    assert steps["cool fan"].deadline <= 5, "an emergency stop waits for an action under way"


def row(profile):
    """The line of doc/targets.md."""
    camera, params = values(profile, "camera"), values(profile, "inference")
    monitor = values(profile, "monitor")
    size = f"{camera['width']}x{camera['height']} at {camera['fps']:g}" if camera else "as it gives"
    where = {"csi://0": "CSI", "0": "USB, MJPG"}[camera["source"]] if camera else "USB"
    if params.get("backend") == "onnxruntime":
        precision = dla = workspace = "-"
    else:
        precision = params["precision"]
        dla = "-" if params["dla_core"] < 0 else str(params["dla_core"])
        workspace = str(params["engine_workspace"] or "a quarter")
    batch = str(params["max_batch"] or "one a camera")
    mode = monitor.get("power", {}).get("mode") or "as it is"
    ladder = "shipped" + (f", memory from {monitor['alert_memory']:.0%}" if "alert_memory" in monitor else "")
    return " | ".join(["", f"`{profile}`", where, size, precision, dla, workspace, batch, mode, ladder, ""]).strip()


def test_the_table_of_targets_says_what_the_profiles_say():
    page = (ROOT / "doc/targets.md").read_text()
    rows = re.findall(r"^\| `\w+` \|.*$", page, re.MULTILINE)
    assert sorted(rows) == sorted(row(profile) for profile in PROFILES)
