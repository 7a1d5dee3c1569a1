"""edge-ai deploy canary, as it is typed; rollouts under a real Prometheus are in test/system/test_canary.py."""

import json
import sys

import pytest

from edge_ai.cli.main import main
from edge_ai.deployment.journal import Journal

pytest.importorskip("httpx")


@pytest.fixture
def plan(tmp_path):
    """For robots that do not run, with a Prometheus that is not there."""
    command = [sys.executable, "-c", "import time; time.sleep(60)", "{release}"]
    target = {"kind": "processes", "command": command, "folder": str(tmp_path / "robots")}
    path = tmp_path / "plan.yaml"
    content = {"release": "2", "hosts": ["robot1", "robot2"], "target": target, "prometheus": "http://127.0.0.1:1"}
    path.write_text(json.dumps({**content, "interval": 0.01, "least": 0.01, "settle": 0}))
    return path


@pytest.fixture
def deploy(plan, capsys):
    def deploy(*options):
        status = main(["deploy", "canary", str(plan), *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return deploy


def test_a_dry_run_says_who_gets_it_when_and_what_cannot_be_known_and_leaves_nothing(deploy, plan):
    status, out, _ = deploy("--dry-run")
    assert status == 3
    assert "stage 1: 2 on robot1\nstage 4: 2 on robot1, robot2\n" in out
    assert "robot1 runs nothing" in out
    assert "undecided: cpu: Prometheus at http://127.0.0.1:1" in out
    assert list(plan.parent.iterdir()) == [plan]


def test_without_figures_nothing_begins_and_the_status_tells_why(deploy, plan):
    status, out, _ = deploy()
    assert status == 3
    assert "release 2: not begun: not known how the robots are" in out
    assert not (plan.parent / "robots").exists()
    status, out, _ = deploy("--status")
    assert status == 0
    assert "undecided: undecided after 0.03 s: error rate: Prometheus at" in out


@pytest.mark.parametrize("option", ["--resume", "--abort", "--promote"])
def test_what_is_not_under_way_cannot_be_gone_on_with(deploy, option):
    status, _, err = deploy(option)
    assert status == 1
    assert err.startswith("error: rollout: got nothing under way")


def test_the_status_of_nothing_and_of_a_rollout_that_another_process_is_at_work_on(deploy, plan):
    assert "release -: nothing under way; 0 robots run it" in deploy("--status")[1]
    with Journal(plan.with_name("plan.journal.jsonl")).opened() as journal:
        journal.write("planned", release="2", robots=["robot1"], digest="a", evidence="b")
        assert "release 2: looking at the robots as they are" in deploy("--status")[1]
        status, _, err = deploy("--resume")
    assert (status, "another deployment at work" in err) == (1, True)


def test_mistakes_are_told_in_a_line(deploy, plan):
    plan.write_text("release: 2")
    status, _, err = deploy()
    assert status == 1
    assert "'release' = 2" in err
    assert "no 'hosts'" in err
    with pytest.raises(SystemExit):
        deploy("--resume", "--abort")
