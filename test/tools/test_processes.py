"""Real processes: they start, say why they cannot, and end with the block, whatever happens in it."""

import os
import signal
from pathlib import Path

import pytest


@pytest.fixture
def processes(root):
    if not (root / "install" / "lib" / "edge_ai" / "control_node").exists():
        pytest.skip("this tree is not set up (make setup)")
    import processes

    return processes


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_nodes_run_on_a_domain_of_their_own_and_end_with_the_block(processes, tmp_path):
    with processes.Stack(tmp_path) as stack:
        node = stack.start("control_node", params={"rate": 30.0}, remaps={"__node": "other"})
        stack.wait(lambda: b"control_node" in Path(f"/proc/{node.pid}/cmdline").read_bytes(), "its start", 10)
        environment = Path(f"/proc/{node.pid}/environ").read_bytes().decode().split("\0")
        assert f"ROS_DOMAIN_ID={stack.domain}" in environment
        assert stack.domain != 0
        assert node.returncode is None
    assert node.returncode is not None
    assert not is_running(node.pid)


def test_a_parameter_that_a_node_refuses_is_reported_in_its_own_words(processes, tmp_path):
    with processes.Stack(tmp_path) as stack:
        node = stack.start("control_node", params={"rate": 5.0})
        with pytest.raises(processes.NodeError, match=r"control_node: .*rate.*20"):
            stack.wait(lambda: False, "nothing", 30)
        assert "\n" not in node.fault()


def test_a_node_that_dies_is_noticed(processes, tmp_path):
    with processes.Stack(tmp_path) as stack:
        node = stack.start("control_node")
        os.kill(node.pid, signal.SIGKILL)
        with pytest.raises(processes.NodeError, match="control_node: ended with status -9"):
            stack.wait(lambda: False, "nothing", 30)


def test_an_error_in_the_block_leaves_nothing_running(processes, tmp_path):
    started = []

    def fail_inside():
        with processes.Stack(tmp_path) as stack:
            started.append(stack.start("control_node"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert not is_running(started[0].pid)


def test_an_unknown_executable_says_what_to_do(processes, tmp_path):
    with (
        processes.Stack(tmp_path) as stack,
        pytest.raises(processes.NodeError, match=r"no executable x_node .*make setup"),
    ):
        stack.start("x_node")


def test_what_counts_as_a_fault(processes):
    fault = processes.FAULT
    assert fault.search("[ERROR] [1795465634.307811087] [camera]: configure: no such file: 'x'")[2].startswith(
        "no such"
    )
    assert fault.search("noise\nerror: parameter 'rate'\n")[1] == "parameter 'rate'"
    assert not fault.search("[ERROR] [1.2] [camera]: reconnecting: lost")
