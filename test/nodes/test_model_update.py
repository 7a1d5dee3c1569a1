"""A new model while images come: staged, examined, switched to, watched and taken back by services of the nodes."""

import threading
from pathlib import Path

import cv2
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_msgs.msg import String

from edge_ai.cli.main import main
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import InferenceResult, ModelUpdate
from edge_ai.nodes import images
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.model_update import swap_params
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.nodes.qos import LATCHED, SENSOR
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card
from edge_ai.srv import StageModel, SwitchModel

PICTURE = Path(__file__).resolve().parents[2] / "doc/demo.jpg"
PATIENCE = 240.0  # s; another process starts and loads the model, on a machine that may be busy
SWITCH, ROLLBACK, DISCARD = (getattr(SwitchModel.Request, name) for name in ("SWITCH", "ROLLBACK", "DISCARD"))


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    """By version: the shipped detector for smaller pictures, which also takes less time beside other work."""
    folder, card = tmp_path_factory.mktemp("cards"), ModelCard.load(shipped_card())
    made = {"1.0": folder / "old.yaml", "2.0": folder / "new.yaml"}
    for size, (version, path) in zip((192, 160), made.items(), strict=True):
        model = resize(card.model_path, path.with_suffix(".onnx"), (size, size), card.input)
        write_card(card, model.path, path, version=version, source="a test", size=model.size)
    return made


@pytest.fixture
def newer(cards):
    """The card of the new version."""
    return cards["2.0"]


@pytest.fixture
def broken(newer, tmp_path):
    """The same, but half of the file is missing, and the card says so many bytes are right."""
    card = ModelCard.load(newer)
    (tmp_path / "half.onnx").write_bytes(card.model_path.read_bytes()[: card.model_path.stat().st_size // 2])
    write_card(card, tmp_path / "half.onnx", tmp_path / "half.yaml", version="3.0", source="a test")
    return tmp_path / "half.yaml"


class Updated:
    """An active node that sees twenty images a second, and what it says."""

    def __init__(self, ros, until, folder, model, make=InferenceNode, **parameters):
        swap = {"state_folder": folder, "shadow_frames": 5, "shadow_share": 1.0, "probation": 0.5}
        given = {f"swap.{name}": value for name, value in swap.items()} | {"swap.probation_frames": 3, "model": model}
        if make is PipelineNode:
            given = {"camera.source": PICTURE, "camera.loop": True, "camera.fps": 20.0} | given
            given["inference.model"] = given.pop("model")
        self.ros, self._until = ros(**(given | parameters)), until
        self.node = self.ros.add(make())
        self.results = self.ros.listen(InferenceResult, "inference/results")
        self.updates = self.ros.listen(ModelUpdate, "inference/model_update", LATCHED)
        self.cards = self.ros.listen(String, "inference/card", LATCHED)
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._picture = cv2.resize(cv2.imread(str(PICTURE)), (640, 480))
        self._camera = self.ros.probe.create_publisher(Image, "camera/image_raw", SENSOR)
        assert self.ros.do(self.node, "configure"), self.node.fault
        assert self.ros.do(self.node, "activate"), self.node.fault
        if make is InferenceNode:
            self.ros.probe.create_timer(0.05, self.show)
        until(lambda: self.results, "a result", PATIENCE)

    def show(self):
        stamp = self.node.get_clock().now().nanoseconds
        frame = Frame(FrameHeader(stamp, 0, "eye", 0, 640, 480), self._picture)
        self._camera.publish(images.image_to_msg(frame))

    def ask(self, kind, name, **fields):
        """Ask a service, and give what its answer comes in."""
        client = self.ros.probe.create_client(kind, name)
        assert client.wait_for_service(15), name
        return client.call_async(kind.Request(**fields))

    def answer(self, kind, name, **fields):
        future = self.ask(kind, name, **fields)
        return self._until(lambda: future.done() and future.result(), f"an answer of {name}", PATIENCE)

    def stage(self, card, **fields):
        return self.answer(StageModel, "inference/stage_model", model=str(card), **fields)

    def decide(self, action, reason=""):
        return self.answer(SwitchModel, "inference/switch_model", action=action, reason=reason)

    def answering(self, version):
        """Wait until results come of this version."""
        seen = len(self.results)
        self._until(
            lambda: any(r.model_version == version for r in self.results[seen:]), f"answers of {version}", PATIENCE
        )

    def state(self, state):
        """Wait until it says so, and give that message."""
        right = lambda: self.updates and self.updates[-1].state == state and self.updates[-1]  # noqa: E731
        return self._until(right, state, PATIENCE)


@pytest.mark.parametrize("make", [InferenceNode, PipelineNode])
def test_a_new_model_is_staged_switched_to_and_confirmed(ros, until, tmp_path, cards, newer, make):
    it = Updated(ros, until, tmp_path, cards["1.0"], make)
    assert it.state(ModelUpdate.IDLE).active == "nanodet_g_416 1.0"
    staged = it.stage(newer)
    assert staged.success, staged.message
    assert staged.state == ModelUpdate.READY
    assert len(staged.checks) >= 3
    ready = it.state(ModelUpdate.READY)
    assert "2.0" in ready.candidate
    assert all(ready.passed)
    assert len(ready.passed) == len(ready.checks)
    it.answering("1.0")
    switched = it.decide(SWITCH)
    assert switched.success, switched.message
    it.answering("2.0")
    confirmed = it.state(ModelUpdate.IDLE)
    assert any(update.state == ModelUpdate.PROBATION for update in it.updates)
    assert "2.0" in confirmed.active
    assert (confirmed.switches, confirmed.rollbacks, confirmed.candidate) == (1, 0, "")
    until(lambda: "version: '2.0'" in it.cards[-1].data, "the new card")
    stamps = [(r.header.stamp.sec, r.header.stamp.nanosec) for r in it.results]
    assert len(stamps) == len(set(stamps)), "a frame was answered twice"
    assert it.node.free_memory() >= 0
    late = it.ros.listen(ModelUpdate, "inference/model_update", LATCHED)
    until(lambda: late and late[0].active == confirmed.active, "the last word, for whoever comes late")


def test_the_confirmed_model_answers_after_a_restart(ros, until, tmp_path, cards, newer):
    it = Updated(ros, until, tmp_path, cards["1.0"])
    staged = it.stage(newer, switch_when_ready=True)
    assert staged.success, staged.message
    assert staged.state == ModelUpdate.PROBATION
    until(lambda: it.updates[-1].state == ModelUpdate.IDLE and it.updates[-1].switches, "its confirmation", PATIENCE)
    assert it.ros.do(it.node, "deactivate")
    assert it.ros.do(it.node, "cleanup")
    it.cards.clear()
    assert it.ros.do(it.node, "configure"), it.node.fault
    assert it.ros.do(it.node, "activate")
    until(lambda: it.cards and "version: '2.0'" in it.cards[-1].data, "the card of the confirmed model")
    it.results.clear()
    it.answering("2.0")


def test_what_is_broken_is_refused_in_words_and_the_model_goes_on(ros, until, tmp_path, cards, broken):
    it = Updated(ros, until, tmp_path, cards["1.0"])
    refused = it.stage(broken, switch_when_ready=True)
    assert not refused.success
    assert refused.state == ModelUpdate.IDLE
    assert refused.message
    assert it.updates[-1].message
    assert not it.stage(tmp_path / "none.yaml").success
    it.answering("1.0")
    assert it.updates[-1].switches == 0
    assert not list(tmp_path.glob("*.tmp"))


def test_a_new_model_is_taken_back_and_the_reason_is_said(ros, until, tmp_path, cards, newer):
    it = Updated(ros, until, tmp_path, cards["1.0"], **{"swap.probation": 600.0})
    assert it.stage(newer, switch_when_ready=True).success
    it.answering("2.0")
    said = lambda: {v.key: v.value for d in it.diagnostics for s in d.status for v in s.values}  # noqa: E731
    until(lambda: "2.0" in said().get("update", ""), "it on /diagnostics")
    back = it.decide(ROLLBACK, "the operator saw ghosts")
    assert back.success, back.message
    it.answering("1.0")
    said = it.state(ModelUpdate.IDLE)
    assert "the operator saw ghosts" in said.message
    assert (said.switches, said.rollbacks) == (1, 1)
    until(lambda: "version: '1.0'" in it.cards[-1].data or 'version: "1.0"' in it.cards[-1].data, "the old card")


def test_what_cannot_be_done_is_refused_in_words(ros, until, tmp_path, cards, newer):
    it = Updated(ros, until, tmp_path, cards["1.0"])
    for action in (SWITCH, ROLLBACK, DISCARD, "improve"):
        answer = it.decide(action)
        assert not answer.success
        assert answer.message
    assert "switch or rollback or discard" in it.decide("improve").message
    assert it.stage(newer).success
    second = it.stage(newer)
    assert not second.success
    assert it.decide(DISCARD).success
    it.state(ModelUpdate.IDLE)


def test_a_node_that_is_taken_down_ends_the_staging_and_says_so(ros, until, tmp_path, cards, newer):
    it = Updated(ros, until, tmp_path, cards["1.0"], **{"swap.shadow_frames": 100000, "swap.shadow_timeout": 3600.0})
    future = it.ask(StageModel, "inference/stage_model", model=str(newer))
    it.state(ModelUpdate.SHADOW)
    threads = threading.active_count()
    assert it.ros.do(it.node, "deactivate")
    assert it.ros.do(it.node, "cleanup")
    answer = until(lambda: future.done() and future.result(), "an answer")
    assert not answer.success
    assert answer.message
    assert threading.active_count() < threads


def test_with_keys_only_newer_signed_sets_come_in(ros, until, tmp_path, cards):
    key = tmp_path / "release"
    assert main(["sign", "--new-key", str(key)]) == 0
    sets = {}
    for number, (version, card) in enumerate(cards.items(), 1):
        sets[version] = tmp_path / f"set{number}"
        signed = ["sign", str(card), "--key", f"{key}.key", "--version", str(number), "--expires", "9d"]
        signed += ["--name", "people", "--target", "any", "--into", str(sets[version]), "--golden", str(PICTURE)]
        assert main(signed) == 0
    trust = {"trusted_keys": f"[{key}.pub]", "artifact_store": tmp_path / "store"}
    it = Updated(ros, until, tmp_path / "state", sets["1.0"], **trust)
    unsigned = it.stage(cards["2.0"])
    assert not unsigned.success
    assert "signed set" in unsigned.message
    staged = it.stage(sets["2.0"], switch_when_ready=True)
    assert staged.success, staged.message
    assert any("golden" in check for check in staged.checks)
    until(lambda: it.updates[-1].state == ModelUpdate.IDLE and it.updates[-1].switches, "its confirmation", PATIENCE)
    assert it.updates[-1].rollbacks == 0, it.updates[-1].message
    older = it.stage(sets["1.0"])
    assert not older.success
    assert "version 1" in older.message
    it.answering("2.0")


@pytest.mark.parametrize("make", [InferenceNode, PipelineNode])
def test_each_node_remembers_its_own_model(ros, make):
    node = ros(__ns="/green").add(make())
    assert Path(swap_params(node).state_folder).name.endswith(f"_green_{node.get_name()}")


def test_a_state_folder_that_is_named_is_taken(ros, tmp_path):
    assert swap_params(ros(**{"swap.state_folder": tmp_path}).add(InferenceNode())).state_folder == str(tmp_path)
