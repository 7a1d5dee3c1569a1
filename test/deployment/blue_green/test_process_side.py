"""Sides that are processes: found, ended and replaced by whoever comes after the one that started them."""

import subprocess
import sys
import time

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import ProcessPlan
from edge_ai.deployment.blue_green.process_side import ProcessSide
from edge_ai.deployment.marked_process import MARK

WAIT = [sys.executable, "-S", "-c", "import time; print('began', flush=True); time.sleep(60)"]
IGNORES = "import signal, time; signal.signal(15, signal.SIG_IGN); print('began', flush=True); time.sleep(60)"
STUBBORN = [sys.executable, "-S", "-c", IGNORES]


@pytest.fixture
def side(tmp_path):
    """Makes handles of one side, as each run of the command makes its own."""
    made = []

    def make(command=tuple(WAIT), digest="1", **more):
        made.append(ProcessSide("blue", "test", ProcessPlan(command=list(command), **more), digest, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.stop(0.1)


def began(side):
    end = time.monotonic() + 10
    while "began" not in side.logs():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_another_run_finds_what_one_has_started(side):
    side().start()
    assert side().running()
    assert side().current()
    assert not side(digest="2").current()
    began(side())
    side().start()
    assert side().logs() == "began"
    side().stop(5.0)
    side().stop(5.0)
    assert not side().running()


def test_another_release_takes_its_place(side):
    side().start()
    side(digest="2").start()
    assert side(digest="2").current()
    assert not side().current()


def test_what_does_not_end_by_itself_is_ended_with_all_that_it_started(side):
    child = f"import subprocess; subprocess.run({STUBBORN!r})"
    one = side([sys.executable, "-S", "-c", child])
    one.start()
    began(one)
    one.stop(0.2)
    assert not one.running()


def test_one_that_was_killed_and_not_waited_for_does_not_run(side):
    one = side()
    one.start()
    (process,) = one.process.processes()
    process.send_signal(9)
    end = time.monotonic() + 10
    while one.running():
        assert time.monotonic() < end


def test_commands_see_its_environment_and_are_not_taken_for_it(side):
    one = side(environment={"RELEASE": "2"})
    with pytest.raises(DeploymentError, match="does not run"):
        one.exec(["true"], 5.0)
    one.start()
    words = f"import os; print(os.environ['RELEASE'], os.environ.get({MARK!r}))"
    done = one.exec([sys.executable, "-S", "-c", words], 20.0)
    assert (done.status, done.output) == (0, "2 None\n")
    with pytest.raises(DeploymentError, match=r"no answer within 0\.2 s"):
        one.exec(["sleep", "5"], 0.2)
    with pytest.raises(DeploymentError, match="No such file"):
        one.exec(["/no/such/program"], 5.0)


def test_a_program_that_is_not_there_is_named(side):
    with pytest.raises(DeploymentError, match=r"side blue: '/no/such/program': got No such file"):
        side(["/no/such/program"]).start()


def test_it_outlives_whoever_started_it(side, tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from edge_ai.deployment.blue_green.plan import ProcessPlan\n"
        "from edge_ai.deployment.blue_green.process_side import ProcessSide\n"
        f"ProcessSide('blue', 'test', ProcessPlan(command={WAIT!r}), '1', Path(sys.argv[1])).start()\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, start_new_session=True)
    assert side().current()


def test_the_namespace_that_a_robot_is_given_reaches_it(side):
    words = "import os, time; print('began', os.environ['EDGE_AI_SIDE'], flush=True); time.sleep(60)"
    one = side([sys.executable, "-S", "-c", words], environment={"EDGE_AI_SIDE": "green"})
    one.start()
    began(one)
    assert one.logs() == "began green"
