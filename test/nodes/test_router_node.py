"""router_node between a camera, a real inference node and a service that answers as a cloud_node would."""

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import Detection, InferenceRequest, InferenceResponse, InferenceResult, RouterStatus
from edge_ai.nodes import images
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.router_node import RouterNode
from edge_ai.srv import CloudInference


class Town:
    """A camera, a router, and an inference node or a service beside it."""

    def __init__(self, ros, *, edge=True, cloud=False, **router):
        given = {"deadline": 5.0, **router}
        given = {name if ":" in name else f"router:{name}": value for name, value in given.items()}
        if cloud:
            given["router:cloud.url"] = "ros:/cloud/infer"
        self.ros = ros(**{"inference:cameras": "[edge]", "inference:warm_up": 1, **given})
        self.requests = []
        if cloud:
            self.ros.probe.create_service(CloudInference, "/cloud/infer", self._infer)
        self.results = self.ros.listen(InferenceResult, "inference/results", 50)
        self.status = self.ros.listen(RouterStatus, "router/status", 50)
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics", 50)
        self._camera = self.ros.probe.create_publisher(Image, "camera/image_raw", SENSOR)
        self._jpeg = self.ros.probe.create_publisher(CompressedImage, "camera/image_raw/compressed", SENSOR)
        self.router = self.ros.add(RouterNode())
        self.nodes = [self.router]
        if edge:
            self.inference = self.ros.add(InferenceNode())
            self.nodes.insert(0, self.inference)
        for node in self.nodes:
            assert self.ros.do(node, "configure"), node.fault
            assert self.ros.do(node, "activate"), node.fault

    def _infer(self, request, response):
        asked = request.request
        self.requests.append(asked)
        response.response.request_id = asked.request_id
        if not asked.compressed_image.data and not asked.image.data:
            response.response.status = InferenceResponse.INVALID_REQUEST
            return response
        found = Detection(class_id=0, class_name="person", score=0.9, x_max=10.0, y_max=10.0)
        response.response.result = InferenceResult(
            header=asked.header, image_width=320, image_height=240, model_name="large", detections=[found]
        )
        return response

    def show(self):
        frame = self._frame()
        self._camera.publish(images.image_to_msg(frame))
        return frame.header.stamp_ns

    def show_jpeg(self):
        import cv2

        frame = self._frame()
        message = CompressedImage(header=images.image_to_msg(frame).header, format="jpeg")
        message.data = cv2.imencode(".jpg", frame.image)[1].tobytes()
        self._jpeg.publish(message)

    def _frame(self):
        stamp = self.router.get_clock().now().nanoseconds
        return Frame(FrameHeader(stamp, 0, "eye", 0, 320, 240), np.full((240, 320, 3), 127, np.uint8))

    def words(self):
        return [s.message for d in self.diagnostics for s in d.status if s.name == "router"]

    def set(self, **values):
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        return self.ros.call(SetParameters, "/router/set_parameters", parameters=parameters).results


def stamp_of(result):
    return result.header.stamp.sec * 10**9 + result.header.stamp.nanosec


def test_without_a_server_every_frame_is_answered_here_and_says_why(ros, until):
    town, sent = Town(ros), []
    until(lambda: sent.append(town.show()) or len(town.results) >= 3, "results", 30)
    for result in town.results:
        assert stamp_of(result) in sent
        assert (result.header.frame_id, result.source, result.model_name) == ("eye", "edge", "nanodet_g_416")
        assert result.reason.startswith("edge: ")
        assert result.timings[0].stage == "route"
    stamps = [stamp_of(result) for result in town.results]
    assert stamps == sorted(set(stamps))
    status = until(lambda: [s for s in town.status if s.edge_answers], "a status")[-1]
    assert (status.cloud, status.cloud_fault, status.cloud_answers) == ("", "no server is configured", 0)


def test_the_service_answers_when_the_operator_wants_it(ros, until):
    town = Town(ros, cloud=True, override="cloud", priorities="[2]")
    until(lambda: town.show() and any(r.source == "ros:/cloud/infer" for r in town.results), "the cloud's answer", 30)
    result = next(r for r in town.results if r.source != "edge")
    assert result.model_name == "large"
    assert result.reason.startswith("cloud: ")
    assert [d.class_name for d in result.detections] == ["person"]
    request = next(r for r in town.requests if r.compressed_image.data)
    assert request.compressed_image.format == "jpeg"
    assert request.priority == InferenceRequest.PRIORITY_HIGH
    assert request.deadline.sec + request.deadline.nanosec / 1e9 == pytest.approx(5.0, abs=0.1)


def test_without_an_inference_node_the_service_answers_and_diagnostics_say_so(ros, until):
    town = Town(ros, edge=False, cloud=True)
    until(lambda: town.show() and town.results, "an answer", 30)
    assert town.results[0].source == "ros:/cloud/infer"
    until(lambda: any("no inference node listens on /edge/camera/image_raw" in words for words in town.words()), "why")


def test_a_camera_s_jpeg_goes_to_the_service_as_it_is(ros, until):
    town = Town(ros, edge=False, cloud=True, transport="compressed")
    until(lambda: town.show_jpeg() or town.results, "an answer", 30)
    sent = next(r for r in town.requests if r.compressed_image.data)
    assert bytes(sent.compressed_image.data[:2]) == b"\xff\xd8"
    assert (town.results[0].image_width, town.results[0].image_height) == (320, 240)


def test_the_inference_node_answers_a_camera_s_jpeg(ros, until):
    town = Town(ros, transport="compressed", **{"inference:transport": "compressed"})
    until(lambda: town.show_jpeg() or town.results, "an answer", 30)
    result = town.results[0]
    assert (result.source, result.image_width, result.image_height) == ("edge", 320, 240)


def test_parameters_change_while_it_runs_and_wrong_ones_are_refused(ros, until):
    town = Town(ros, edge=False, cloud=True)
    (bad,) = town.set(policy="guess")
    assert not bad.successful
    assert "rules" in bad.reason
    (good,) = town.set(override="skip")
    assert good.successful, good.reason
    until(lambda: town.show() and any(s.skip_share == 1.0 for s in town.status), "skipped frames")
    before = len(town.results)
    town.show()
    until(lambda: len(town.status) and town.status[-1].override == "skip", "the override in the status")
    assert len(town.results) == before


def test_a_wrong_url_is_refused_with_a_way_to_mend_it(ros):
    node = ros(**{"cloud.url": "ftp://host:21"})
    router = node.add(RouterNode())
    assert not node.do(router, "configure")
    assert "ftp" in router.fault
    assert "grpc" in router.fault


def test_it_can_be_taken_down_and_brought_up_again(ros, until):
    town = Town(ros, edge=False, cloud=True)
    until(lambda: town.show() and town.results, "an answer", 30)
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        assert town.ros.do(town.router, transition), town.router.fault
    before = len(town.results)
    until(lambda: town.show() and len(town.results) > before, "an answer after that", 30)
