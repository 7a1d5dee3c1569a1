"""What clients promise, over each protocol, on a server that misbehaves."""

import threading

import numpy as np
import pytest

from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAnswerError,
    CloudAuthError,
    CloudBusyError,
    CloudError,
    CloudRequest,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
    TensorInfo,
)

oip = pytest.importorskip("oip_server")
until = oip.until

CODES = {
    "INTERNAL": (500, CloudAnswerError),
    "UNKNOWN": (501, CloudAnswerError),
    "UNAVAILABLE": (503, CloudBusyError),
    "RESOURCE_EXHAUSTED": (429, CloudBusyError),
    "INVALID_ARGUMENT": (400, CloudRequestError),
    "UNAUTHENTICATED": (401, CloudAuthError),
    "PERMISSION_DENIED": (403, CloudAuthError),
}


def test_open_reads_what_the_model_takes_and_gives(serve, connect):
    served = connect(serve().port).open("m", "", 5)
    assert (served.name, served.version) == ("m", "1")
    assert served.inputs == {"image": TensorInfo("image", "BYTES", (-1,))}
    assert served.outputs == {"length": TensorInfo("length", "INT32", (-1,))}


def test_answers_come_over_one_connection(serve, connect, ask, answers, behaviour):
    server = serve()
    client = connect(server.port)
    client.open("m", "", 5)
    behaviour.parameters = {"service_seconds": 0.25}
    answer = ask(client, size=12345)
    assert answer.outputs["length"].tolist() == [12345]
    assert answer.sent == 12345 + 4
    assert answer.parameters["service_seconds"] == 0.25
    assert all(answers(client, size=size) for size in range(1, 300, 7))
    assert len(server.connections) == 1


@pytest.mark.parametrize("code", CODES)
def test_errors_of_the_server_are_told_apart(serve, connect, ask, answers, behaviour, protocol, code):
    client = connect(serve().port)
    client.open("m", "", 5)
    behaviour.code, (behaviour.status, kind) = code, CODES[code]
    error = ask(client)
    assert type(error) is kind
    assert "told to" in str(error)
    assert protocol in str(error)
    behaviour.code, behaviour.status = "", 0
    assert answers(client)


def test_a_full_queue_is_no_fault_of_the_request(serve, connect, ask, behaviour):
    client = connect(serve().port)
    behaviour.code, behaviour.status, behaviour.words = "UNAVAILABLE", 400, "Exceeds maximum queue size"
    assert type(ask(client)) is CloudBusyError


def test_an_unknown_model_is_refused_by_name(serve, connect, ask):
    client = connect(serve().port)
    with pytest.raises(CloudRequestError, match="'other'"):
        client.open("other", "", 5)
    assert type(ask(client, model="other")) is CloudRequestError


def test_a_model_that_goes_is_the_servers_fault(serve, connect, ask, answers, behaviour):
    client = connect(serve().port)
    client.open("m", "", 5)
    model = behaviour.models.pop("m")
    error = ask(client)
    assert isinstance(error, CloudBusyError)
    assert error.fault
    behaviour.models["m"] = model
    assert answers(client)


def test_a_server_that_is_not_ready_is_not_opened(serve, connect, behaviour):
    behaviour.ready = False
    client = connect(serve().port)
    with pytest.raises(CloudBusyError, match="not ready"):
        client.open("m", "", 5)
    behaviour.ready = True
    client.open("m", "", 5)


def test_ping_takes_time_or_says_why_not(serve, connect, behaviour):
    server = serve()
    client, heard = connect(server.port), []
    client.ping(5, heard.append)
    assert until(lambda: len(heard) == 1)
    assert 0 < heard[0] < 5
    behaviour.ready = False
    client.ping(5, heard.append)
    assert until(lambda: len(heard) == 2)
    assert isinstance(heard[1], CloudBusyError)
    server.stop()
    client.ping(5, heard.append)
    assert until(lambda: len(heard) == 3)
    assert isinstance(heard[2], CloudUnreachableError)


def test_a_deadline_holds_and_the_server_hears_of_it(serve, connect, ask, answers, behaviour):
    client = connect(serve().port)
    client.open("m", "", 5)
    behaviour.hold = 60
    asked = ask(client, timeout=0.2, wait=False)
    assert type(asked.wait()) is CloudTimeoutError
    assert 0.19 <= asked.took < 2
    assert until(lambda: behaviour.cancelled == 1)
    behaviour.hold = 0
    assert answers(client)
    assert len(asked.outcomes) == 1


def test_a_time_that_is_over_is_an_error_at_once(serve, connect, ask):
    client = connect(serve().port)
    for timeout in (0.0, -1.0):
        assert type(ask(client, timeout=timeout)) is CloudTimeoutError


def test_a_request_given_up_ends_at_the_server_and_says_nothing(serve, connect, ask, answers, behaviour):
    client = connect(serve().port)
    behaviour.hold = 60
    asked = ask(client, timeout=50, wait=False)
    assert until(lambda: behaviour.seen == 1)
    asked.call.cancel()
    asked.call.cancel()
    assert until(lambda: behaviour.cancelled == 1)
    behaviour.hold = 0
    assert answers(client)
    assert asked.outcomes == []


def test_closing_ends_what_is_under_way(serve, connect, ask, behaviour):
    client = connect(serve().port)
    behaviour.hold = 60
    asked = [ask(client, timeout=50, wait=False) for _ in range(5)]
    assert until(lambda: behaviour.seen == 5)
    client.close()
    client.close()
    assert all(isinstance(one.wait(), CloudUnreachableError) for one in asked)
    assert isinstance(ask(client), CloudUnreachableError)
    with pytest.raises(CloudUnreachableError):
        client.open("m", "", 5)
    assert until(lambda: behaviour.cancelled == 5)


def test_a_client_that_nobody_used_closes(connect):
    connect(9).close()


def test_many_at_once_get_each_their_own(serve, connect, ask):
    client = connect(serve().port)
    client.open("m", "", 5)
    asked = {size: ask(client, timeout=20, size=size, wait=False) for size in range(1, 65)}
    assert {size: one.wait(20).outputs["length"].tolist() for size, one in asked.items()} == {n: [n] for n in asked}


def test_callbacks_that_fail_harm_nobody(serve, connect, answers, caplog):
    client = connect(serve().port)
    array = np.array([b"x"], object)
    client.infer(CloudRequest("m", {"image": array}), 5, lambda outcome: 1 / 0)
    assert answers(client)
    assert until(lambda: "a callback of a client failed" in caplog.text)


def test_two_clients_share_a_thread_and_end_apart(serve, connect, answers):
    server = serve()
    first, second = connect(server.port), connect(server.port)
    assert answers(first)
    assert answers(second)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("cloud-clients") == 1
    first.close()
    assert answers(second)
    second.close()
    assert "cloud-clients" not in [thread.name for thread in threading.enumerate()]


def test_a_server_that_goes_and_comes_back_is_asked_at_once(serve, connect, ask, answers):
    server = serve()
    client = connect(server.port)
    assert answers(client)
    server.stop()
    assert isinstance(ask(client), CloudUnreachableError)
    serve(port=server.port)
    assert answers(client)


def test_a_tensor_of_a_type_that_servers_do_not_know(serve, connect):
    outcomes = []
    client = connect(serve().port)
    client.infer(CloudRequest("m", {"image": np.zeros(3, np.complex64)}), 5, outcomes.append)
    assert type(outcomes[0]) is CloudRequestError


def test_errors_say_their_endpoint(serve, connect, ask, behaviour, protocol):
    server = serve()
    client = connect(server.port)
    behaviour.hold = 5
    error = ask(client, timeout=0.05)
    assert isinstance(error, CloudError)
    assert f"{protocol}://127.0.0.1:{server.port}" in str(error)
    assert client.name == f"{protocol}://127.0.0.1:{server.port}"


def test_an_answer_is_that_of_the_model(serve, connect, ask):
    client = connect(serve().port)
    assert isinstance(ask(client), CloudAnswer)
