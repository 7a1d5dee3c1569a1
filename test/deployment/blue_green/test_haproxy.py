"""The runtime API of a real HAProxy."""

import subprocess
import time
from types import SimpleNamespace

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.haproxy import RuntimeApi, Traffic
from edge_ai.deployment.blue_green.plan import TrafficPlan
from edge_ai.deployment.blue_green.switch import Switch


def traffic(machine, **changes):
    given = {"socket": "ha.sock", "backends": ["triton_http"], "drain": 3.0, **changes}
    return Traffic(TrafficPlan(**given), machine.folder, machine.said.append)


@pytest.fixture
def serve(machine):
    """Starts servers behind HAProxy without any deployment."""
    children = []

    def start(name, *words):
        command = machine.side(name, name, *words)["process"]["command"]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        children[-1].stdout.readline()

    yield start
    for child in children:
        child.kill()
        child.communicate()


def test_it_says_what_it_refuses(machine):
    api = RuntimeApi(machine.proxy.socket)
    with pytest.raises(DeploymentError, match=r"set server none/blue state ready.*No such backend"):
        api.set(["set server none/blue state ready"])
    with pytest.raises(DeploymentError, match=r"no_socket.*stats socket PATH level admin"):
        RuntimeApi(machine.folder / "no_socket").ask("show info")


def test_a_backend_without_both_sides_is_named(machine):
    traffic(machine).check()
    with pytest.raises(DeploymentError, match=r"other/blue, other/green.*triton_http/blue"):
        traffic(machine, backends=["triton_http", "other"]).check()


def test_what_has_begun_ends_where_it_began(machine, serve):
    serve("blue", "--seconds", "0.5")
    serve("green")
    lane = traffic(machine)
    lane.move("blue", "green")
    with machine.load(clients=1, most=1) as load:
        while not lane.states()["triton_http/blue"].sessions:
            time.sleep(0.01)
        lane.move("green", "blue")
        assert lane.states()["triton_http/blue"].sessions == 0
        load.wait()
    assert (load.answers, load.failures) == ({"blue": 1}, [])


def test_what_does_not_end_is_waited_for_no_longer_than_the_plan_says(machine, serve):
    serve("blue", "--seconds", "3")
    serve("green")
    lane = traffic(machine, drain=0.2)
    lane.move("blue", "green")
    with machine.load(clients=1, most=1):
        while not lane.states()["triton_http/blue"].sessions:
            time.sleep(0.01)
        lane.move("green", "blue")
    assert machine.said == ["blue still works at 1 requests after 0.2 s"]


def test_a_side_that_haproxy_cannot_reach_gets_nothing(machine, serve, monkeypatch):
    serve("blue")
    lane = traffic(machine)
    lane.move("blue", "green")
    lane.retire("green")
    end = time.monotonic() + 10
    RuntimeApi(machine.proxy.socket).set(["set server triton_http/green state ready"])
    while not lane.states()["triton_http/green"].state.startswith("DOWN"):
        assert time.monotonic() < end
        time.sleep(0.05)
    monkeypatch.setattr("edge_ai.deployment.blue_green.haproxy._UP", 0.5)
    with pytest.raises(DeploymentError, match=r"triton_http/green: got DOWN; wanted UP"):
        lane.move("green", "blue")
    with machine.load(most=10) as load:
        load.wait()
    assert (load.answers, load.failures) == ({"blue": 10}, [])


def test_only_while_a_new_side_is_on_trial_the_other_one_stands_in_for_it(machine, serve):
    serve("blue")
    serve("green")
    lane = traffic(machine)
    lane.move("green", "blue", spare=True)
    assert lane.states()["triton_http/blue_spare"].up
    lane.retire("blue")
    assert lane.states()["triton_http/blue_spare"].state == "MAINT"
    lane.move("blue", "green")
    assert lane.states()["triton_http/green_spare"].state == "MAINT"


def ask(machine, count):
    with machine.load(clients=1, most=count) as load:
        load.wait()
    assert len(load.failures) == count


def test_errors_are_counted_although_haproxy_begins_anew(machine, serve):
    serve("green", "--fails", "1")
    moves = traffic(machine, state_file="ha.state")
    moves.move("green", "blue")
    ask(machine, 20)
    side = SimpleNamespace(name="green")
    (check,) = Switch(moves, None, None, 0.01).checks(side)
    assert check() == "0 errors in 0 requests"
    machine.proxy.kill()
    machine.proxy.start()
    assert check() == "0 errors in 0 requests"
    ask(machine, 4)
    with pytest.raises(DeploymentError, match="4 errors in 4 requests"):
        check()
