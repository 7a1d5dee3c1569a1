"""From a machine to what its launch starts with: on this one, and on made-up Jetsons with a pretended TensorRT."""

import dataclasses
import fcntl
import importlib.util
import os
from pathlib import Path

import pytest
import yaml

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.core.errors import BackendError, EdgeAIError, EngineRefusedError, ParameterError
from edge_ai.evaluation.budget import Budget
from edge_ai.evaluation.compare import Estimate
from edge_ai.optimization import prepare as module
from edge_ai.optimization.judging.measure import Measured
from edge_ai.optimization.prepare import models_folder, prepare
from edge_ai.optimization.prepare_plan import Request, make_plan
from edge_ai.platforms.detect import detect
from edge_ai.runtime.prepared import prepared_path, read_prepared
from edge_ai.runtime.targets import find_target

_SPEC = importlib.util.spec_from_file_location("tree", Path(__file__).parents[1] / "doubles" / "jetson" / "tree.py")
tree = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tree)

GENEROUS = Budget(0.2, 0.2)


@pytest.fixture(autouse=True)
def home(own_folders, monkeypatch, tmp_path):
    """What is prepared here is the test's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def pc(tmp_path):
    return detect(tree.pc(tmp_path / "pc"))


@pytest.fixture
def orin(tmp_path):
    return detect(tree.orin_nano(tmp_path / "orin"))


@pytest.fixture
def colours(colour_data):
    """A request to prepare the small classifier with two variants to try."""
    card, pictures, _ = colour_data
    return Request(card=Path(card), pictures=str(pictures), loss=GENEROUS, rungs=("fp16", "int8_minmax"))


@pytest.fixture
def faster(monkeypatch):
    """A machine on which, and a board for which, every variant gains time: of this one nobody knows."""
    monkeypatch.setattr(Measured, "speedup", lambda *_: Estimate(2.0, 1.5, 2.5))
    monkeypatch.setattr(module, "_faster", lambda *_: True)


def done(request, machine, progress=lambda *_: None):
    said = []
    return prepare(make_plan(request, machine), say=said.append, progress=progress), said


def forbid(monkeypatch):
    monkeypatch.setattr(module, "optimize", lambda *_, **__: pytest.fail("optimised again"))


def written():
    return yaml.safe_load(prepared_path().read_text())


def inference():
    content = written()
    values = content["/**/inference"]["ros__parameters"]
    assert content["/**/pipeline"]["ros__parameters"] == {"inference": values}
    return values


def test_a_pc_without_pictures_takes_its_profile_and_the_model_as_it_is(pc):
    plan = make_plan(Request(), pc)
    assert "--pictures" in plan.unoptimised
    assert plan.no_engine
    outcome, said = done(Request(), pc)
    assert outcome.fresh
    assert said == []
    assert set(written()) == {"/edge_ai_prepared"}
    assert [file.name for file in find_target("auto", lambda: pc).files] == ["generic_pc.yaml", "prepared.yaml"]


def test_the_faster_variant_that_passes_the_gate_is_what_runs(pc, colours):
    outcome, said = done(colours, pc)
    assert any(words.startswith("report: ") for words in said)
    faster = outcome.prepared.model != str(colours.card.resolve())
    assert inference()["model"] == outcome.prepared.model
    assert faster == (Path(outcome.prepared.model).is_relative_to(models_folder()))
    assert faster or any("no faster here" in words or "no variant passed" in words for words in said)


@pytest.mark.parametrize(("low", "taken"), [(1.1, True), (0.7, False)])
def test_a_variant_that_is_only_smaller_is_not_taken(pc, colours, monkeypatch, low, taken):
    """A processor without FP16 runs an FP16 model slower than its original, and the gate lets it pass for its size."""
    real = module.json.loads

    def measured(text):
        data = real(text)
        for one in data["variants"][1:]:
            one["speedup"]["low"] = low
        return data

    monkeypatch.setattr(module.json, "loads", measured)
    outcome, said = done(dataclasses.replace(colours, rungs=("fp16",)), pc)
    assert ("fp16" in Path(outcome.prepared.model).name) is taken
    assert any("is smaller, but no faster here" in words for words in said) is not taken


def test_a_second_run_does_nothing(pc, colours, monkeypatch):
    first, _ = done(colours, pc)
    stamp = prepared_path().stat().st_mtime_ns
    forbid(monkeypatch)
    second, said = done(colours, pc)
    assert not second.fresh
    assert second.prepared == first.prepared
    assert said == []
    assert prepared_path().stat().st_mtime_ns == stamp


def test_another_picture_is_another_preparation(pc, colours, monkeypatch):
    done(colours, pc)
    before = read_prepared(prepared_path()).inputs
    picture = next(Path(colours.pictures).iterdir())
    state = picture.stat()
    os.utime(picture, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert make_plan(colours, pc).digest != before
    os.utime(picture, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert make_plan(colours, pc).digest == before


@pytest.mark.parametrize("lost", ["model", "file"])
def test_what_is_lost_is_made_again(pc, colours, faster, monkeypatch, lost):
    first, _ = done(colours, pc)
    if lost == "file":
        prepared_path().unlink()
        forbid(monkeypatch)
    else:
        next(Path(first.prepared.model).parent.glob("*.onnx")).write_bytes(b"damaged")
    second, _ = done(colours, pc)
    assert second.fresh
    assert done(colours, pc)[0].fresh is False


def test_interrupted_at_any_step_it_is_taken_up_there(pc, colours):
    seen = set()

    def interrupt(what, _done, _total):
        if what not in seen:
            seen.add(what)
            raise KeyboardInterrupt

    while True:
        try:
            outcome, _ = done(dataclasses.replace(colours, rungs=("fp16",)), pc, interrupt)
            break
        except KeyboardInterrupt:
            assert not prepared_path().exists()
    assert len(seen) > 3
    assert outcome.fresh
    assert not list(models_folder().glob(".*")), "nothing half done is left"


def test_a_run_that_ends_before_it_has_written_keeps_the_variants_for_the_next(pc, colours, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_prepared", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            done(colours, pc)
    assert not prepared_path().exists()
    forbid(monkeypatch)
    assert done(colours, pc)[0].fresh


def test_two_at_once_do_not_disturb_each_other(pc):
    models_folder().mkdir(parents=True)
    with (models_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EdgeAIError, match="another edge-ai prepare"):
            done(Request(), pc)
    assert done(Request(), pc)[0].fresh


def test_a_jetson_gets_its_engine_its_memory_and_its_power_mode(orin, double_gpu):
    double_gpu()
    outcome, said = done(Request(), orin)
    values = inference()
    assert values == {"precision": "fp16", "engine_workspace": 2816}
    assert values["engine_workspace"] * 2**20 <= orin.steady_budget.workspace
    # The profile's 25W is a Super mode; this Orin Nano has 15W and 7W.
    assert written()["/**/monitor"]["ros__parameters"] == {"power": {"mode": "15W"}}
    (entry,) = EngineCache.at("").entries()
    assert outcome.prepared.engine == str(entry.folder)
    assert entry.manifest.verdict.passed
    assert entry.manifest.key.options["engine_workspace"] == values["engine_workspace"]
    assert any("engine of nanodet_g_416" in words for words in said)


def test_an_engine_for_several_cameras_is_built_once(orin, colours, double_gpu, monkeypatch):
    double_gpu()
    request = Request(card=colours.card, cameras=3)
    done(request, orin)
    assert inference()["max_batch"] == 3
    (entry,) = EngineCache.at("").entries()
    monkeypatch.setattr(module, "EngineBuild", lambda *_, **__: pytest.fail("built again"))
    assert not done(request, orin)[0].fresh
    less_free = dataclasses.replace(orin, available_bytes=orin.available_bytes // 8)
    assert not done(request, less_free)[0].fresh, "what is free just now changes nothing"
    (entry.folder / "manifest.json").write_text("{}")
    with pytest.raises(pytest.fail.Exception, match="built again"):
        done(request, orin)


def test_an_engine_that_the_gate_refuses_ends_it_and_nothing_is_written(orin, colours, double_gpu):
    double_gpu(fault="engine_nan")
    with pytest.raises(EngineRefusedError, match="the gate refuses"):
        done(Request(card=colours.card), orin)
    assert not prepared_path().exists()


@pytest.mark.parametrize("kind", [EngineRefusedError, BackendError])
def test_a_variant_without_an_engine_leaves_the_original_which_has_one(
    orin, colours, faster, double_gpu, monkeypatch, kind
):
    double_gpu()
    real = module.EngineBuild.run

    def refuse_variants(build):
        if Path(build._request.card).is_relative_to(models_folder()):
            raise kind("no engine of it")
        return real(build)

    monkeypatch.setattr(module.EngineBuild, "run", refuse_variants)
    outcome, said = done(colours, orin)
    assert any("is taken in its place" in words for words in said)
    assert outcome.prepared.model == str(colours.card.resolve())
    assert inference()["precision"] == "fp16"


def test_the_engine_of_an_int8_variant_is_int8(orin, colours, faster, double_gpu):
    double_gpu()
    outcome, _ = done(dataclasses.replace(colours, rungs=("int8_minmax",)), orin)
    assert Path(outcome.prepared.model).is_relative_to(models_folder())
    assert inference()["precision"] == "int8"
    (entry,) = EngineCache.at("").entries()
    assert entry.manifest.key.options["precision"] == "int8"


def test_on_a_gpu_whose_speeds_nobody_knows_the_processors_do_not_decide(pc, colours, double_gpu):
    double_gpu()
    plan = make_plan(colours, pc)
    assert (plan.no_engine, plan.job) == ("", None)
    assert "nobody can foretell" in plan.unoptimised


def test_a_board_whose_software_is_too_old_takes_the_processor(tmp_path, double_gpu):
    double_gpu()
    nano = detect(tree.nano(tmp_path / "nano"))
    plan = make_plan(Request(), nano)
    assert (plan.profile, plan.no_engine, plan.power_mode) == ("nano", "the profile takes ONNX Runtime", None)
    assert not done(Request(), nano)[0].prepared.engine


def test_a_profile_can_be_chosen_and_auto_then_means_it(pc):
    outcome, _ = done(Request(profile="agx_orin"), pc)
    assert not outcome.prepared.detected
    assert find_target("auto", lambda: pc).profile == "agx_orin"


def test_a_profile_of_ones_own_is_found_from_any_folder(pc, tmp_path, monkeypatch):
    mine = tmp_path / "here" / "mine.yaml"
    mine.parent.mkdir()
    mine.write_text("/**/inference: {ros__parameters: {workers: 2}}\n/**/monitor: {ros__parameters: {power: }}\n")
    monkeypatch.chdir(mine.parent)
    done(Request(profile="mine.yaml"), pc)
    monkeypatch.chdir(tmp_path)
    assert find_target("auto", lambda: pc).files == (mine, prepared_path())


def test_that_a_profile_was_chosen_can_be_taken_back(pc):
    done(Request(profile="generic_pc"), pc)
    assert done(Request(), pc)[0].prepared.detected


@pytest.mark.parametrize("mode", ["MODE_30W", "0"])
def test_of_another_boards_power_mode_or_a_number_nobody_knows_what_draws_less(orin, tmp_path, mode):
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"/**/monitor: {{ros__parameters: {{power: {{mode: '{mode}'}}}}}}\n")
    machine = dataclasses.replace(orin, power_modes=("7W", "15W", "25W", "MAXN_SUPER"))
    assert not make_plan(Request(profile=str(mine)), machine).power_mode


def test_a_user_without_a_home_is_told(pc, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(EdgeAIError, match="XDG_DATA_HOME"):
        done(Request(), pc)


@pytest.mark.parametrize(
    ("modes", "wanted"),
    [
        (("25W", "15W", "7W"), None),
        (("15W", "7W"), "15W"),
        (("MAXN_SUPER",), ""),
        ((), None),
    ],
)
def test_never_a_power_mode_that_draws_more_than_the_profiles(orin, modes, wanted):
    assert make_plan(Request(), dataclasses.replace(orin, power_modes=modes)).power_mode == wanted


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"profile": "warp_core"}, "config/profiles"),
        ({"card": Path("no/card.yaml")}, "no/card.yaml"),
        ({"pictures": "no/such/folder"}, "no/such/folder"),
        ({"cameras": 0}, "--cameras"),
        ({"labels": Path("labels.json")}, "--pictures"),
        ({"labels": Path("no/labels.json"), "pictures": "."}, "no/labels.json"),
        ({"pictures": "/dev/video0"}, "live camera"),
    ],
)
def test_wrong_use_is_told_before_anything_is_done(pc, wrong, said):
    with pytest.raises(EdgeAIError, match=said):
        make_plan(Request(**wrong), pc)


def test_a_rung_that_there_is_not_is_told(pc, colours):
    with pytest.raises(ParameterError, match="--try"):
        done(dataclasses.replace(colours, rungs=("int3",)), pc)
