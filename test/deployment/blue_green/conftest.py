"""Two sides that are real processes behind a real HAProxy, and a plan for them."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from serving.haproxy import Haproxy, unfit  # noqa: E402
from serving.load import Load  # noqa: E402

from edge_ai.deployment.blue_green.make import make_deployment, make_sides, make_switch  # noqa: E402
from edge_ai.deployment.blue_green.plan import load_plan  # noqa: E402
from edge_ai.deployment.containers import ContainerEngine  # noqa: E402
from edge_ai.deployment.journal import Journal  # noqa: E402

SERVER = ROOT / "tools" / "serving" / "oip_server.py"
SEEN = [
    {"corners": [10, 20, 110, 220], "score": 0.9, "class_id": 0},
    {"corners": [200, 50, 260, 90], "score": 0.6, "class_id": 2},
]


class Machine:
    """One machine with an HAProxy and whatever runs behind it."""

    def __init__(self, folder, proxy):
        self.folder, self.proxy, self.path = folder, proxy, folder / "plan.yaml"
        self.said = []
        (folder / "golden").mkdir()
        (folder / "golden" / "street.jpg").write_bytes(b"a picture")
        (folder / "golden" / "answers.json").write_text(json.dumps({"street.jpg": SEEN}))

    def side(self, name, release, *words, **more):
        """One side of a plan."""
        url = f"http://127.0.0.1:{self.proxy.ports[name]}"
        server = [sys.executable, "-S", str(SERVER), "--port", str(self.proxy.ports[name]), "--release", release]
        return {
            "release": release,
            "process": {"command": [*server, *words]},
            "ready": f"{url}/v2/health/ready",
            "api": url,
            **more,
        }

    def plan(self, serve, blue=None, green=None, *, checks=None, traffic=None, **more):
        """Write a plan and read it."""
        given = {
            "serve": serve,
            "sides": {"blue": blue or self.side("blue", "1"), "green": green or self.side("green", "2")},
            "traffic": {
                "socket": str(self.proxy.socket),
                "state_file": str(self.proxy.state_file),
                "backends": ["triton_http", "triton_grpc"],
                "drain": 5.0,
                **(traffic or {}),
            },
            "checks": {
                "golden": {"model": "eye", "folder": "golden"},
                "start": 15.0,
                "timeout": 2.0,
                "period": 0.1,
                **(checks or {}),
            },
            "probation": 0.3,
            "grace": 5.0,
            **more,
        }
        self.path.write_text(yaml.safe_dump(given))
        return load_plan(self.path)

    def run(self, plan, verb="deploy"):
        """Carry out a plan; what the deployment returns."""
        journal, engine = Journal(plan.journal_of(self.path)), ContainerEngine()
        with journal.opened():
            return getattr(make_deployment(plan, self.folder, journal, engine, self.said.append), verb)()

    def sides(self, plan):
        """Both, to be looked at."""
        return make_sides(plan, self.folder, ContainerEngine())

    def running(self, plan):
        """Names of the sides that run."""
        return [name for name, side in self.sides(plan).items() if side.running()]

    def servers(self, plan):
        """What HAProxy says of its servers for HTTP."""
        states = make_switch(plan, self.folder, self.said.append).states()
        # "UP 1/3" is up, too, with the first of three checks behind it.
        words = {name: re.split("[, ]", text)[0] for name, text in states.items()}
        return {side: words[f"triton_http/{side}"] for side in ("blue", "green")}

    def steps(self, plan):
        """What its journal says."""
        with Journal(plan.journal_of(self.path)).opened() as journal:
            return [entry.step for entry in journal.entries]

    def load(self, **how):
        """Clients that ask through HAProxy."""
        return Load(self.proxy.url, **{"clients": 3, "pause": 0.005, **how})


@pytest.fixture
def machine(tmp_path):
    """See `Machine`; all that was started ends with the test."""
    if unfit():
        pytest.skip(unfit())
    with Haproxy(tmp_path) as proxy:
        machine = Machine(tmp_path, proxy)
        try:
            yield machine
        finally:
            for side in machine.sides(machine.plan("blue")).values():
                side.stop(0.5)
