"""A new model while the robot drives: real processes, frames as fast as they are taken, and not one lost."""

from itertools import pairwise

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_msgs.msg import String

from edge_ai.msg import InferenceResult, ModelUpdate
from edge_ai.nodes.qos import LATCHED
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card
from edge_ai.srv import StageModel, SwitchModel

PATIENCE = 240.0  # s; another process starts, loads the model and tries it, on a machine that may be busy
SWAP = {"swap.shadow_frames": 10, "swap.shadow_share": 1.0, "swap.agreement": 0.2}
PROBATION = {"swap.probation": 1.0, "swap.probation_frames": 10}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Cards by version: the shipped detector for smaller pictures, quick beside other work; and one that is torn."""
    folder, card = tmp_path_factory.mktemp("models"), ModelCard.load(shipped_card())
    made = {}
    for version, size in (("1.0", 256), ("2.0", 224), ("3.0", 192)):
        model = resize(card.model_path, folder / f"{size}.onnx", (size, size), card.input)
        made[version] = folder / f"{size}.yaml"
        write_card(card, model.path, made[version], version=version, source="a test", size=model.size)
    torn, whole = folder / "torn.onnx", (folder / "224.onnx").read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    write_card(card, torn, folder / "torn.yaml", version="4.0", source="a test")
    return made | {"torn": folder / "torn.yaml"}


class Driving:
    """A composed robot that takes every frame of a video that never ends."""

    def __init__(self, robot, walkers, model, folder):
        self.robot = robot
        self._params = {"camera.source": walkers, "camera.loop": True, "camera.realtime": False, **SWAP, **PROBATION}
        self._params |= {"inference.model": str(model), "swap.state_folder": str(folder)}
        self.results = robot.listen(InferenceResult, "inference/results")
        self.updates = robot.listen(ModelUpdate, "inference/model_update", LATCHED)
        self.cards = robot.listen(String, "inference/card", LATCHED)
        self._diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
        robot.start("lifecycle_manager", lifecycle_manager={"node_names": ["pipeline"], "period": 0.1})

    def start(self, **params):
        self.robot.start("pipeline", pipeline={**self._params, **params})
        self.results.clear()
        self.robot.until(lambda: len(self.results) > 5, "results", PATIENCE)

    def kill(self):
        """As a power cut does."""
        self.robot.nodes["pipeline"].kill()
        self.results.clear()
        self.updates.clear()

    def stage(self, model, **fields):
        return self._ask(StageModel, "inference/stage_model", model=str(model), **fields)

    def decide(self, action, reason=""):
        return self._ask(SwitchModel, "inference/switch_model", action=action, reason=reason)

    def _ask(self, kind, name, **fields):
        """One call, once: what is asked for is not to be done twice."""
        client = self.robot.probe.create_client(kind, name)
        assert client.wait_for_service(PATIENCE), name
        future = client.call_async(kind.Request(**fields))
        return self.robot.until(lambda: future.done() and future.result(), name, PATIENCE)

    def answering(self, version):
        seen = len(self.results)
        got = lambda: any(one.model_version == version for one in self.results[seen:])  # noqa: E731
        self.robot.until(got, f"answers of {version}")

    def idle(self, **fields):
        """Wait until nothing is under way and these hold."""
        right = lambda one: one.state == ModelUpdate.IDLE and all(getattr(one, k) == v for k, v in fields.items())  # noqa: E731
        return self.robot.until(lambda: self.updates and right(self.updates[-1]) and self.updates[-1], str(fields))

    def counts(self):
        """What became of the frames, as it says of itself from now on."""
        self._diagnostics.clear()
        said = lambda: [s for d in list(self._diagnostics) for s in d.status if s.name == "pipeline"]  # noqa: E731
        values = self.robot.until(said, "diagnostics")[-1].values
        return {pair.key: int(pair.value) for pair in values if pair.value.isdecimal()}


@pytest.fixture(scope="module")
def driving(lasting_robot, walkers, models, tmp_path_factory):
    return Driving(lasting_robot, walkers, models["1.0"], tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def updated(driving, models):
    """The robot after its first update, which was confirmed; the next ones will be on probation for long."""
    driving.start()
    staged = driving.stage(models["2.0"])
    assert staged.success, (staged.message, staged.checks)
    assert driving.decide(SwitchModel.Request.SWITCH).success
    driving.idle(switches=1, rollbacks=0)
    longer = Parameter("swap.probation", value=3600.0).to_parameter_msg()
    answer = driving.robot.call(SetParameters, "pipeline/set_parameters", parameters=[longer])
    assert answer.results[0].successful, answer.results[0].reason
    return driving


def test_no_frame_is_lost_or_answered_twice_whatever_model_comes(updated, models):
    it = updated
    it.answering("2.0")
    refused = it.stage(models["torn"], switch_when_ready=True)
    assert not refused.success
    assert refused.message
    it.answering("2.0")
    assert it.stage(models["3.0"], switch_when_ready=True).success
    it.answering("3.0")
    assert it.decide(SwitchModel.Request.ROLLBACK, "a test").success
    it.answering("2.0")
    it.idle(switches=2, rollbacks=1)
    counts = it.counts()
    assert counts["failed"] == counts["dropped"] == 0
    # Between two numbers that are read one after the other, and in work, are a few.
    assert 0 <= counts["captured"] - counts["processed"] <= 3
    stamps = [one.header.stamp.sec * 10**9 + one.header.stamp.nanosec for one in it.results]
    assert all(before < after for before, after in pairwise(stamps))
    assert {one.model_version for one in it.results} == {"1.0", "2.0", "3.0"}
    assert len(stamps) > 100


def test_after_a_power_cut_the_model_confirmed_last_answers(updated, models):
    it = updated
    it.kill()
    it.start(**{"swap.probation": 3600.0})
    it.answering("2.0")
    it.robot.until(lambda: "version: '2.0'" in it.cards[-1].data, "its card")
    assert it.stage(models["3.0"], switch_when_ready=True).success
    it.answering("3.0")
    it.kill()
    it.start()
    it.answering("2.0")
    assert not any(one.model_version == "3.0" for one in it.results)
