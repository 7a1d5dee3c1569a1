"""Figures of robots, from a real Prometheus that scrapes the monitor's real metrics."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from canary_fleet import PROMETHEUS, SCRAPE, CanaryFleet, wait_until

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.criteria import DEFAULTS, Criterion
from edge_ai.deployment.canary.limits import check_limits
from edge_ai.deployment.canary.plan import Host, load_plan
from edge_ai.deployment.canary.prometheus import Asker, Prometheus

real = pytest.mark.skipif(not PROMETHEUS.exists(), reason="no Prometheus; tools/programs.py fetches Debian's")
WINDOW = 3 * SCRAPE


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Two robots: one does its work, the other has none."""
    with CanaryFleet(tmp_path_factory.mktemp("fleet"), ["1", "1-idle"]) as fleet:
        wait_until(
            lambda: fleet.asked("count(count_over_time(edge_ai_cpu_usage_ratio[600ms]) > 1)") == 2, "two scrapes"
        )
        yield fleet


@pytest.fixture
def evaluate(fleet):
    """Figures of the first robot as canary and the second as stable group."""
    prometheus = Prometheus(fleet.url)

    def evaluate(*criteria, label="instance"):
        (one, two) = load_plan(fleet.plan("2")).hosts
        return Asker(prometheus, label).evaluate(criteria, [one], [two], WINDOW)

    yield evaluate
    prometheus.close()


@real
def test_the_default_criteria_find_what_the_monitor_measured(evaluate):
    found = evaluate(*DEFAULTS)
    assert found.faults == {}
    canary = {name: figures["robot1"] for name, figures in found.canary.items()}
    bad, total = canary["error rate"]
    assert total == pytest.approx(3000 * WINDOW, rel=0.01)
    assert 0.0002 < bad / total < 0.0008
    assert canary["latency"] == (pytest.approx(0.06, rel=0.06),)
    assert canary["cpu"] == (pytest.approx(0.4, rel=0.11),)
    assert canary["memory"] == (0.5,)
    assert check_limits(DEFAULTS, [found], ["robot1"]).breached == ()


@real
def test_a_robot_without_traffic_has_no_latency_and_no_share_of_errors(evaluate):
    found = evaluate(*DEFAULTS)
    assert found.stable["error rate"] == {"robot2": (0.0, 0.0)}
    assert found.stable["latency"] == {}
    infinite = Criterion(name="share", query="edge_ai_node_failed_frames_per_second{$group} / 0", limit=0.1)
    assert "got nothing for robot1" in evaluate(infinite).faults["share"]  # infinite is no figure


@real
@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"query": "edge_ai_no_such_metric{$group}"}, "'edge_ai_no_such_metric.*got nothing for robot1"),
        ({"bad": "no_such{$group}", "total": "up{$group}"}, "'no_such.*got nothing for robot1"),
        ({"query": "up{$group}", "against": "no_such{$group}"}, "'no_such.*got nothing for robot1"),
        ({"query": "sum(up{$group})"}, "no robot's"),
        ({"query": "up{$group}[$window]"}, "got a matrix"),
        ({"query": "up{$group"}, "parse error"),
    ],
)
def test_a_query_that_gives_no_figures_is_named_and_the_others_still_count(evaluate, entry, words):
    found = evaluate(Criterion(name="wrong", **entry), Criterion(name="up", query="up{$group}"))
    with pytest.raises(DeploymentError, match=words):
        raise DeploymentError(found.faults["wrong"])
    assert found.canary["up"] == {"robot1": (1.0,)}
    assert found.stable["up"] == {"robot2": (1.0,)}


@real
def test_of_several_series_of_a_robot_the_greatest_counts_and_events_add_up(evaluate):
    both = 'label_replace(up{$group}, "x", "a", "", "") or label_replace(2 * up{$group}, "x", "b", "", "")'
    found = evaluate(Criterion(name="most", query=both), Criterion(name="all", bad=both, total=both))
    assert found.canary == {"most": {"robot1": (2.0,)}, "all": {"robot1": (3.0, 3.0)}}


@real
def test_what_a_shadow_run_gives_is_asked_of_the_same_robots(evaluate):
    found = evaluate(Criterion(name="shadow", query="up{$group}", against="2 * up{$group}"))
    assert (found.canary, found.stable) == ({"shadow": {"robot1": (1.0,)}}, {"shadow": {"robot1": (2.0,)}})


@pytest.fixture
def answering():
    """A server that is no Prometheus; gives its URL."""
    servers = []

    def answering(status, body):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                answering.asked.append(self.headers)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    answering.asked = []
    yield answering
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (502, b""), (200, b"[]"), (200, b'{"status": "success", "data": {"resultType": "vector"}}')],
)
def test_what_is_no_prometheus_is_told_from_one(answering, status, body):
    with pytest.raises(DeploymentError, match=f"status {status} without an answer of its API.*correct 'prometheus'"):
        Prometheus(answering(status, body)).query("up")


def test_nobody_there_and_nobody_who_answers():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(DeploymentError, match="refused"):
            Prometheus(url).query("up")
        deaf.listen()
        with pytest.raises(DeploymentError, match="timed out"):
            Prometheus(url, timeout=0.2).query("up")
        found = Asker(Prometheus(url, timeout=0.2), "instance").evaluate(DEFAULTS[2:3], [Host(name="a")], [], 1.0)
    assert "timed out" in found.faults["cpu"]


@pytest.mark.parametrize("url", ["http://[::1", "https://robots:port"])
def test_what_is_no_address_is_told(url):
    with pytest.raises(DeploymentError, match="Invalid port"):
        Prometheus(url).query("up")


def test_without_a_robot_that_can_be_reached_nothing_is_known(answering):
    url = answering(200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}')
    found = Asker(Prometheus(url), "instance").evaluate(DEFAULTS, [], [], 1.0)
    assert set(found.faults) == {criterion.name for criterion in DEFAULTS}
    assert "got nothing for no robot" in found.faults["cpu"]


def test_a_password_is_sent_and_never_told(answering):
    url = answering(200, b"<html>").replace("//", "//robots:secret@")
    with pytest.raises(DeploymentError) as raised:
        Prometheus(url).query("up")
    assert "secret" not in str(raised.value)
    assert answering.asked[0]["Authorization"].startswith("Basic ")
