"""The small server of a process that serves nothing else."""

import http.client
import socket

import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.endpoint import Endpoint, answer
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample

CLOCK = ManualClock()


@pytest.fixture
def endpoint():
    running = Endpoint("127.0.0.1", 0, metrics=Metrics(CLOCK), health=Health(CLOCK))
    running.start()
    yield running
    running.stop()


def ask(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    said = connection.getresponse()
    return said.status, said.read().decode(), said.headers


def test_metrics_in_prometheus_format(endpoint):
    pytest.importorskip("prometheus_client")
    status, body, headers = ask(endpoint.port, "/metrics?name=x")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert "edge_ai_samples_total 0.0" in body


def test_alive_is_whoever_answers_ready_is_who_works(endpoint):
    assert ask(endpoint.port, "/livez")[:2] == (200, "alive\n")
    assert ask(endpoint.port, "/readyz")[:2] == (503, "nothing has been measured yet\n")


def test_ready_again():
    health = Health(CLOCK)
    health.update(Sample(CLOCK.stamp_ns(), CLOCK.steady_ns(), {"fps": 10.0}))
    assert answer("/readyz", metrics=None, health=health).status == 200
    assert answer("/readyz", metrics=None, health=None).status == 200


def test_other_paths_are_not_there_and_a_head_has_no_body(endpoint):
    assert ask(endpoint.port, "/etc/passwd")[0] == 404
    assert ask(endpoint.port, "/livez", "HEAD")[:2] == (200, "")
    assert answer("/metrics", metrics=None, health=None).status == 404


def test_a_client_that_says_nothing_keeps_nobody_waiting(endpoint):
    with socket.create_connection(("127.0.0.1", endpoint.port)):
        assert ask(endpoint.port, "/livez")[0] == 200


def test_a_port_that_is_taken_is_named(endpoint):
    with pytest.raises(EdgeAIError, match=f"127.0.0.1:{endpoint.port}.*To mend: choose another port"):
        Endpoint("127.0.0.1", endpoint.port, metrics=None, health=None).start()


def test_a_stopped_one_frees_its_port_and_starts_again():
    running = Endpoint("127.0.0.1", 0, metrics=None, health=None)
    running.start()
    port = running.port
    running.stop()
    running.stop()
    again = Endpoint("127.0.0.1", port, metrics=None, health=None)
    again.start()
    assert ask(port, "/livez")[0] == 200
    again.stop()
