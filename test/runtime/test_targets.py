"""Which parameter files a launch starts with, on made-up machines."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest
import yaml

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.platforms.boards import board
from edge_ai.platforms.detect import detect
from edge_ai.platforms.nvml import Gpu
from edge_ai.runtime.prepared import Prepared, marks, prepared_path, read_prepared, write_prepared
from edge_ai.runtime.targets import find_target

_SPEC = importlib.util.spec_from_file_location("tree", Path(__file__).parents[1] / "doubles" / "jetson" / "tree.py")
tree = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tree)

NODES = {"inference": {"model": "/x/card.yaml", "precision": "int8"}, "monitor": {"power": {"mode": "15W"}}}


@pytest.fixture(autouse=True)
def home(own_folders):
    """What is prepared here is the test's."""


@pytest.fixture
def orin(tmp_path):
    return detect(tree.orin_nano(tmp_path / "orin"))


@pytest.fixture
def pc(tmp_path):
    return detect(tree.pc(tmp_path / "pc"))


def prepare(machine, profile="", **changes):
    prepared = Prepared(
        machine=marks(machine),
        profile=profile or machine.profile,
        detected=not profile,
        inputs="abc",
        model="",
        engine="",
    ).model_copy(update=changes)
    write_prepared(prepared_path(), prepared, NODES, "made by a test")
    return prepared


def names(target):
    return [file.name for file in target.files]


def test_a_board_is_told_with_the_evidence(orin):
    target = find_target("auto", lambda: orin)
    assert (target.profile, names(target)) == ("orin_nano", ["orin_nano.yaml"])
    assert target.words.startswith("target orin_nano: Jetson Orin Nano 8GB, by module p3767-0005; nothing was prepared")
    assert "\n" not in target.words


def test_a_computer_that_is_no_jetson_is_a_pc(pc):
    target = find_target("auto", lambda: pc)
    assert (target.profile, names(target)) == ("generic_pc", ["generic_pc.yaml"])
    assert "no Jetson" in target.words


def test_what_was_prepared_here_overrides_the_profile(orin):
    prepared = prepare(orin)
    target = find_target("auto", lambda: orin)
    assert names(target) == ["orin_nano.yaml", "prepared.yaml"]
    assert f"with '{prepared_path()}', prepared for it" in target.words
    assert read_prepared(prepared_path()) == prepared
    values = target.values(("camera", "inference", "monitor"))
    assert values["inference"]["precision"] == "int8"
    assert values["inference"]["dla_core"] == -1
    assert values["camera"]["source"] == "csi://0"
    assert values["power"] == {"mode": "15W"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"board": board("orin_nx_16")}, "board 'orin_nano_8', not 'orin_nx_16'"),
        ({"board": board("orin_nano_4")}, "board 'orin_nano_8', not 'orin_nano_4'"),
        ({"gpus": (Gpu("NVIDIA RTX"),)}, "gpus '', not 'NVIDIA RTX'"),
    ],
)
def test_what_was_prepared_on_another_machine_is_not_used_and_that_is_said(orin, change, said):
    prepare(orin)
    other = dataclasses.replace(orin, **change)
    target = find_target("auto", lambda: other)
    assert names(target) == [f"{other.profile}.yaml"]
    assert "of another machine, and not used" in target.words
    assert said in target.words


def test_a_profile_that_somebody_chose_at_preparation_holds(pc):
    prepare(pc, profile="agx_orin")
    target = find_target("auto", lambda: pc)
    assert (target.profile, names(target)) == ("agx_orin", ["agx_orin.yaml", "prepared.yaml"])
    assert "chosen when it was prepared" in target.words


def test_a_profile_of_ones_own_that_is_gone_is_told_and_no_other_taken(pc, tmp_path):
    prepare(pc, profile=str(tmp_path / "mine.yaml"))
    with pytest.raises(ParameterError, match="no file"):
        find_target("auto", lambda: pc)


def test_a_detected_profile_that_the_machine_no_longer_has_does_not(pc):
    prepare(pc, profile="agx_orin", detected=True)
    assert names(find_target("auto", lambda: pc)) == ["generic_pc.yaml"]


@pytest.mark.parametrize(
    "text", ["", "a: [", "edge_ai_prepared: {}", "/edge_ai_prepared: {ros__parameters: {profile: 1}}"]
)
def test_a_damaged_file_is_not_used_and_that_is_said(orin, text):
    prepared_path().parent.mkdir(parents=True)
    prepared_path().write_text(text)
    target = find_target("auto", lambda: orin)
    assert names(target) == ["orin_nano.yaml"]
    assert "prepared.yaml" in target.words


def test_a_file_that_may_not_be_read_is_not_used_and_that_is_said(orin, monkeypatch):
    """As for a user who was given another one's HOME."""

    prepare(orin)
    real = Path.stat

    def refuse(path, **how):
        if path == prepared_path():
            raise PermissionError(13, "Permission denied")
        return real(path, **how)

    monkeypatch.setattr(Path, "stat", refuse)
    target = find_target("auto", lambda: orin)
    assert names(target) == ["orin_nano.yaml"]
    assert "Permission denied" in target.words


def test_a_user_without_a_home_has_prepared_nothing_and_that_is_said(orin, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    target = find_target("auto", lambda: orin)
    assert names(target) == ["orin_nano.yaml"]
    assert "no home" in target.words


def test_a_named_target_is_that_profile_and_nothing_else(orin):
    prepare(orin)
    target = find_target("thor", lambda: pytest.fail("the machine was asked"))
    assert (target.profile, names(target), target.words) == ("thor", ["thor.yaml"], "target thor, as told")


def test_an_unknown_target_is_told():
    with pytest.raises(ParameterError, match="config/profiles"):
        find_target("warp_core")


def test_the_file_is_one_for_ros(orin):
    prepare(orin)
    content = yaml.safe_load(prepared_path().read_text())
    assert content["/**/inference"] == {"ros__parameters": NODES["inference"]}
    assert all(set(section) == {"ros__parameters"} for section in content.values())


def test_what_cannot_be_written_leaves_the_file_before(orin, monkeypatch):
    before = prepare(orin)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EdgeAIError, match="No space left"):
        prepare(orin, inputs="other")
    assert read_prepared(prepared_path()) == before
    assert [path.name for path in prepared_path().parent.iterdir()] == ["prepared.yaml"]
