"""What shows that a model works: the boxes it should see."""

import http.server
import json
import threading

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.golden import Box, agreement, check_golden, infer, record_golden
from edge_ai.deployment.blue_green.plan import Plan

CAR = Box((10.0, 20.0, 110.0, 220.0), 0.9, 2)
MAN = Box((200.0, 50.0, 260.0, 90.0), 0.6, 0)


def moved(box, by=0.0, score=None, class_id=None):
    corners = tuple(value + by for value in box.corners)
    return Box(corners, box.score if score is None else score, box.class_id if class_id is None else class_id)


@pytest.mark.parametrize(
    ("found", "share"),
    [
        ([CAR, MAN], 1.0),
        ([MAN, CAR], 1.0),
        ([moved(CAR, 5.0, score=0.85), MAN], 1.0),
        ([CAR], 2 / 3),
        ([CAR, CAR, MAN], 4 / 5),  # one of both has no counterpart
        ([moved(CAR, class_id=7), MAN], 0.5),
        ([moved(CAR, 90.0), MAN], 0.5),
        ([moved(CAR, score=0.5), MAN], 0.5),
        ([], 0.0),
    ],
)
def test_boxes_have_a_counterpart_of_their_class_place_and_score(found, share):
    assert agreement([CAR, MAN], found, iou=0.5, score=0.15) == pytest.approx(share)


def test_nothing_expected_and_nothing_found_agree():
    assert agreement([], [], iou=0.5, score=0.15) == 1.0
    assert agreement([], [CAR], iou=0.5, score=0.15) == 0.0


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        head = int(self.headers["Inference-Header-Content-Length"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body[:head]), body[head:]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.status, server.asked = 200, []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "street.jpg"
    path.write_bytes(b"\xff\xd8 a picture")
    return path


def outputs(*boxes):
    names = {
        "boxes": [value for box in boxes for value in box.corners],
        "scores": [box.score for box in boxes],
        "class_ids": [box.class_id for box in boxes],
    }
    return json.dumps({"outputs": [{"name": name, "data": data} for name, data in names.items()]}).encode()


def test_a_picture_travels_as_the_binary_extension_says(server, picture):
    server.answer = outputs(CAR, MAN)
    assert infer("eye", picture, server.url, 5.0) == [CAR, MAN]
    ((path, head, tensor),) = server.asked
    assert path == "/v2/models/eye/infer"
    (about,) = head["inputs"]
    assert about["parameters"]["binary_data_size"] == len(tensor)
    assert tensor == len(picture.read_bytes()).to_bytes(4, "little") + picture.read_bytes()


@pytest.mark.parametrize("answer", [b"", b"{}", b"[1]", b'{"outputs": [{"name": "boxes"}]}', outputs(CAR)[:-30]])
def test_an_answer_that_is_none_is_told(server, picture, answer):
    server.answer = answer
    with pytest.raises(DeploymentError, match="tensors boxes, scores, class_ids"):
        infer("eye", picture, server.url, 5.0)


def test_rows_that_do_not_belong_together_are_told(server, picture):
    content = json.loads(outputs(CAR, MAN))
    content["outputs"][1]["data"].pop()
    server.answer = json.dumps(content).encode()
    with pytest.raises(DeploymentError, match="of as many rows"):
        infer("eye", picture, server.url, 5.0)


def test_an_error_of_the_server_is_told_in_its_words(server, picture):
    server.status, server.answer = 400, b'{"error": "unknown model"}'
    with pytest.raises(DeploymentError, match=r"status 400.*unknown model"):
        infer("eye", picture, server.url, 5.0)


def test_answers_are_recorded_and_compared(server, picture, make_plan):
    server.answer = outputs(CAR, MAN)
    plan = make_plan(server.url, picture.parent)
    golden = plan.checks.golden
    record_golden(plan, "blue", picture.parent)
    assert "1 pictures" in check_golden(golden, picture.parent, server.url, 5.0)
    server.answer = outputs(CAR, moved(MAN, class_id=9))
    with pytest.raises(DeploymentError, match=r"street.jpg.*50%.*90%"):
        check_golden(golden, picture.parent, server.url, 5.0)


def test_answers_that_prove_nothing_are_refused(server, picture, make_plan):
    server.answer = outputs()
    plan = make_plan(server.url, picture.parent)
    with pytest.raises(DeploymentError, match="nothing seen"):
        record_golden(plan, "blue", picture.parent)
    with pytest.raises(DeploymentError, match="a side in charge"):
        record_golden(plan, None, picture.parent)
    for content, words in ((None, "No such file"), ("{", "no answers"), ('{"a.jpg": []}', "nothing expected")):
        if content is not None:
            (picture.parent / "answers.json").write_text(content)
        with pytest.raises(DeploymentError, match=f"{words}.*--record-golden"):
            check_golden(plan.checks.golden, picture.parent, server.url, 5.0)


@pytest.fixture
def make_plan():
    """A plan whose both sides are one server."""

    def make(url, folder):
        side = {"release": "1", "process": {"command": ["x"]}, "api": url}
        return Plan.model_validate(
            {
                "serve": "blue",
                "sides": {"blue": side, "green": side},
                "traffic": {"socket": "s", "backends": ["b"]},
                "checks": {"golden": {"model": "eye", "folder": str(folder)}},
            }
        )

    return make
