"""The server that tests and demo use: what it serves, how it starts, ends and refuses."""

import os
import shutil
import signal
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.processing.resize import Preprocessor
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

grpc = pytest.importorskip("tritonclient.grpc")
http = pytest.importorskip("tritonclient.http")
PICTURE = Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"  # pedestrians on a square
KINDS = {"O": "BYTES", "u": "UINT8", "f": "FP32"}


@pytest.fixture(scope="module")
def picture():
    """The bytes of a JPEG file in which the shipped detector sees people."""
    return PICTURE.read_bytes()


@pytest.fixture(scope="module")
def pixels(picture):
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture(scope="module")
def here(pixels, triton_card):
    """What the model says of the picture on this machine."""
    model = Model.load(InferenceParams(model=str(triton_card)))
    header = FrameHeader(0, 0, "camera", 0, pixels.shape[1], pixels.shape[0])
    found = model(Frame(header, pixels)).detections
    model.close()
    assert len(found) > 2
    return found


def bare(url):
    return url.partition("://")[2]


def ask(library, url, model, name, array, **how):
    client = library.InferenceServerClient(bare(url))
    try:
        tensor = library.InferInput(name, list(array.shape), KINDS[array.dtype.kind])
        tensor.set_data_from_numpy(array)
        answer = client.infer(model, [tensor], **how)
        names = ("boxes", "scores", "class_ids") if not model.endswith("_tensor") else ("scores", "dist")
        return {one: answer.as_numpy(one) for one in names}
    finally:
        client.close()


@pytest.mark.parametrize("library", [grpc, http], ids=["grpc", "http"])
def test_it_sees_in_a_jpeg_what_this_machine_sees(triton, library, picture, here):
    url = triton.grpc if library is grpc else triton.http
    got = ask(library, url, "nanodet_g_416", "jpeg", np.array([picture], object))
    np.testing.assert_allclose(got["boxes"], here.boxes, atol=0.5)
    np.testing.assert_allclose(got["scores"], here.scores, atol=5e-3)
    assert got["class_ids"].tolist() == here.class_ids.tolist()


def test_it_sees_the_same_in_pixels(triton, pixels, here):
    got = ask(grpc, triton.grpc, "nanodet_g_416_image", "image", pixels)
    np.testing.assert_allclose(got["boxes"], here.boxes, atol=0.5)


def test_tensors_are_prepared_and_read_by_the_client(triton, triton_card, pixels, here):
    card = ModelCard.load(triton_card)
    tensor = np.empty(card.input.shape, np.float32)
    placement = Preprocessor(card.input).prepare(pixels, "bgr8", tensor)
    got = ask(grpc, triton.grpc, "nanodet_g_416_tensor", card.input.name, tensor)
    np.testing.assert_allclose(PostProcessor(card)(got, placement).boxes, here.boxes, atol=0.5)


@pytest.mark.parametrize("data", [b"", b"no picture", PICTURE.read_bytes()[:200]], ids=["empty", "text", "torn"])
def test_a_jpeg_that_is_none_is_the_clients_fault(triton, data):
    with pytest.raises(grpc.InferenceServerException, match="JPEG") as caught:
        ask(grpc, triton.grpc, "nanodet_g_416", "jpeg", np.array([data], object))
    assert "INVALID_ARGUMENT" in caught.value.status()


def test_nothing_in_the_picture_is_an_answer_without_rows(triton):
    got = ask(grpc, triton.grpc, "nanodet_g_416_image", "image", np.zeros((40, 60, 3), np.uint8))
    assert got["boxes"].shape == (0, 4)
    assert got["scores"].shape == got["class_ids"].shape == (0,)


def test_a_full_queue_refuses_at_once(triton, picture):
    """The queue holds 16: of 40 at the same time some are told so, which a robot takes for a sign to go elsewhere."""
    refused, answered, lock = [], [], threading.Lock()

    def one():
        try:
            got = ask(grpc, triton.grpc, "nanodet_g_416", "jpeg", np.array([picture], object))
            with lock:
                answered.append(got)
        except grpc.InferenceServerException as error:
            with lock:
                refused.append(error)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answered) + len(refused) == 40
    assert refused
    assert {error.status() for error in refused} == {"StatusCode.UNAVAILABLE"}
    assert all(len(got["boxes"]) for got in answered)


def test_it_ends_and_leaves_nothing_behind_and_starts_again_at_the_same_place(make_triton):
    server = make_triton(models=["nanodet_g_416"])
    before = server.grpc
    server.stop()
    assert server.pid is None
    assert not list(Path("/dev/shm").glob(f"{server._region}*"))
    server.start()
    assert server.grpc == before
    os.kill(server.pid, signal.SIGKILL)
    server.kill()
    assert not list(Path("/dev/shm").glob(f"{server._region}*"))


def test_one_that_cannot_load_its_model_says_why(make_triton, triton_repository, tmp_path):
    from installer.console import SetupError

    broken = tmp_path / "repository"
    shutil.copytree(triton_repository / "nanodet_g_416", broken / "nanodet_g_416")
    (broken / "nanodet_g_416/1/nanodet_g_416.onnx").write_bytes(b"torn")
    with pytest.raises(SetupError, match="sha256"):
        make_triton(broken)


def test_model_control_needs_the_key_and_inference_the_token(make_triton, picture):
    server = make_triton(models=["nanodet_g_416"], admin_key="secret", http_token="letmein")
    client = http.InferenceServerClient(bare(server.http))
    with pytest.raises(http.InferenceServerException, match=r"[Rr]estricted|403"):
        client.unload_model("nanodet_g_416")
    client.close()
    jpeg = np.array([picture], object)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(http.InferenceServerException):
            ask(http, server.http, "nanodet_g_416", "jpeg", jpeg, headers=headers)
    right = {"authorization": "Bearer letmein"}
    assert len(ask(http, server.http, "nanodet_g_416", "jpeg", jpeg, headers=right)["boxes"])


def test_mutual_tls_lets_only_those_in_who_show_a_certificate(make_triton, picture, tmp_path):
    import trustme
    from serving.server import Tls

    authority = trustme.CA()
    names = {"server": authority.issue_cert("127.0.0.1"), "robot": authority.issue_cert("robot")}
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, issued in names.items():
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    tls = Tls(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "ca.pem")
    server = make_triton(models=["nanodet_g_416"], tls=tls)
    assert server.grpc.startswith("grpcs://")
    known = {"ssl": True, "root_certificates": str(tmp_path / "ca.pem")}
    shown = {"private_key": str(tmp_path / "robot.key"), "certificate_chain": str(tmp_path / "robot.pem")}
    with_certificate = grpc.InferenceServerClient(bare(server.grpc), **known, **shown)
    assert with_certificate.is_server_ready()
    with_certificate.close()
    without = grpc.InferenceServerClient(bare(server.grpc), **known)
    with pytest.raises(grpc.InferenceServerException, match="UNAVAILABLE"):
        without.is_server_ready()
    without.close()
