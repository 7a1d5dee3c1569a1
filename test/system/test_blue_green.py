"""The deployer is killed at every step, as a power cut would: the service answers, and one side is in charge."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from serving.haproxy import Haproxy, unfit  # noqa: E402
from serving.load import Load  # noqa: E402

pytestmark = pytest.mark.skipif(bool(unfit()), reason=unfit())

# The command line, run in a child for each line of arguments, which kills itself in the middle of what it does outside:
# at the N-th of all entries into the journal, commands to HAProxy, starts and ends of a side; before it (odd) or after.
DEPLOYER = """
import json, os, signal, sys
from edge_ai.cli.main import main
from edge_ai.deployment.blue_green import deployment, make
from edge_ai.deployment.blue_green.haproxy import RuntimeApi
from edge_ai.deployment.blue_green.process_side import ProcessSide
from edge_ai.deployment.journal import Journal

left = 0

def point():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def dying(owner, name):
    work = getattr(owner, name)
    def worked(*given, **more):
        point()
        done = work(*given, **more)
        point()
        return done
    setattr(owner, name, worked)

dying(Journal, "write")
dying(RuntimeApi, "set")
dying(ProcessSide, "start")
dying(ProcessSide, "stop")
for line in sys.stdin:
    left, arguments = json.loads(line)
    child = os.fork()
    if not child:
        sys.stdout = sys.stderr = open('said.log', 'a')
        os._exit(main(arguments))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
STRIDE = int(os.environ.get("EDGE_AI_KILL_STRIDE", "5"))
SERVER = ROOT / "tools" / "serving" / "oip_server.py"


class Machine:
    """Both sides, HAProxy and the command line as a process."""

    def __init__(self, folder, proxy):
        self.folder, self.proxy, self.path = folder, proxy, folder / "plan.yaml"
        command = [sys.executable, "-c", DEPLOYER]
        how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.deployer = subprocess.Popen(command, env=dict(os.environ), cwd=folder, **how)

    def plan(self, serve, *words):
        """Write a plan; ``words`` are for the side that is to serve."""
        sides = {}
        for name, port in self.proxy.ports.items():
            command = [sys.executable, "-S", str(SERVER), "--port", str(port), "--release", name]
            sides[name] = {
                "release": name,
                "process": {"command": command + list(words) * (name == serve)},
                "ready": f"http://127.0.0.1:{port}/v2/health/ready",
            }
        backends = ["triton_http", "triton_grpc"]
        plan = {
            "serve": serve,
            "sides": sides,
            "traffic": {"socket": "ha.sock", "state_file": "ha.state", "backends": backends},
            "checks": {"period": 0.05, "start": 20.0},
            "probation": 0.1,
        }
        self.path.write_text(yaml.safe_dump(plan))

    def deploy(self, *words, kill_at=0):
        """Run the command; its exit status."""
        arguments = ["deploy", "blue-green", str(self.path), *words]
        self.deployer.stdin.write(json.dumps([kill_at, arguments]) + "\n")
        self.deployer.stdin.flush()
        return int(self.deployer.stdout.readline())

    def said(self):
        """What the command said."""
        return (self.folder / "said.log").read_text()[-2000:]

    def steps(self):
        """What its journal says."""
        return [json.loads(line)["step"] for line in (self.folder / "plan.journal.jsonl").read_text().splitlines()]

    def servers(self):
        """Processes of the servers by their side."""
        ports = {str(port): name for name, port in self.proxy.ports.items()}
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or ()
            if str(SERVER) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
                yield from ((ports[word], process) for word in words if word in ports)

    def running(self):
        """Sides whose servers run."""
        return {name for name, _ in self.servers()}


@pytest.fixture
def machine(tmp_path):
    with Haproxy(tmp_path) as proxy:
        machine = Machine(tmp_path, proxy)
        machine.plan("blue")
        try:
            assert machine.deploy() == 0
            yield machine
        finally:
            machine.deployer.communicate(timeout=20)
            for _, process in machine.servers():
                process.kill()


def asked(load, count=15):
    """Wait until so many more requests have been answered."""
    before, end = load.done, time.monotonic() + 20
    while load.done < before + count:
        assert time.monotonic() < end
        time.sleep(0.01)


# Every fifth of its points, that is before and after each kind of step; EDGE_AI_KILL_STRIDE=1 takes all.
def test_whatever_a_kill_leaves_is_ended_and_every_request_answered(machine):
    now, points = "blue", 0
    with Load(machine.proxy.url, clients=2, pause=0.01) as load:
        for at in range(1, 200, STRIDE):
            to, begun = {"blue": "green", "green": "blue"}[now], machine.steps().count("begun")
            machine.plan(to)
            status = machine.deploy(kill_at=at)
            if status == 0:  # it had fewer points
                break
            assert status == -9
            asked(load)
            assert machine.deploy("--resume") == 0, machine.said()
            now = to if machine.steps().count("begun") > begun else now
            before = load.answers[now]
            asked(load)
            assert load.answers[now] >= before + 15
            assert machine.running() == {now}
            assert machine.steps()[-1] == "confirmed"
            points += 1
    assert load.failures == []
    assert points >= 35 // STRIDE


def test_a_way_back_that_is_killed_is_ended(machine):
    machine.plan("green", "--never-ready")
    machine.path.write_text(machine.path.read_text().replace("start: 20.0", "start: 0.3"))
    with Load(machine.proxy.url, clients=2, pause=0.01) as load:
        for at in range(11, 24, STRIDE):
            assert machine.deploy(kill_at=at) == -9
            asked(load)
            assert machine.deploy("--resume") in (0, 1)
            assert machine.steps()[-1] in ("rolled back", "confirmed")
            assert machine.running() == {"blue"}
            assert machine.deploy("--resume") == 0
    assert load.failures == []
    assert set(load.answers) == {"blue"}
