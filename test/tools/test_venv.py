"""Mending the ROS wheels, reading pip's progress, and failing well without a network."""

import http.server
import os
import signal
import subprocess
import sys
import threading

import pytest

CLOSED = "http://127.0.0.1:9/simple/"  # the discard port: nothing listens there


def test_mending_replaces_the_build_machines_paths_and_is_idempotent(tmp_path):
    from installer.venv import BUILD_INCLUDES, GENERATOR, PUBLIC_INCLUDES, mend

    export = tmp_path / "share" / "std_msgs" / "cmake" / "export.cmake"
    generator = tmp_path / GENERATOR
    for path in (export, generator):
        path.parent.mkdir(parents=True)
    old = "/opt/python/cp312-cp312/include/python3.12"
    export.write_text(f'set(i "{old};/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include")\n')
    generator.write_text(f"target_include_directories(t {PUBLIC_INCLUDES}\n")
    assert mend(tmp_path, "/usr/include/python3.12", "/v/numpy/include") == 2
    assert export.read_text() == 'set(i "/usr/include/python3.12;/v/numpy/include")\n'
    assert generator.read_text() == f"target_include_directories(t {BUILD_INCLUDES}\n"
    assert mend(tmp_path, "/usr/include/python3.12", "/v/numpy/include") == 0


def test_pips_progress_is_read_from_its_output():
    from installer.venv import pip_state

    assert pip_state("Collecting numpy\nCollecting psutil\nCollecting numpy\n") == "2 packages found"
    assert pip_state("Collecting a\nInstalling collected packages: a, b, c\n") == "unpacking 3 packages"
    assert "does not answer" in pip_state("WARNING: Retrying (Retry(total=4, ...")


def bootstrap(tree, environment, **popen):
    return subprocess.Popen(
        [sys.executable, tree / "tools" / "bootstrap.py"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **popen,
    )


@pytest.fixture
def with_compiler(plain_environment):
    from installer.checks import check_machine
    from installer.console import SetupError

    try:
        check_machine()
    except SetupError as error:
        pytest.skip(str(error))
    return dict(plain_environment)


def test_without_a_network_it_says_so_and_leaves_nothing_that_counts_as_done(tree, with_compiler):
    from installer.venv import Environment

    child = bootstrap(tree, {**with_compiler, "PIP_INDEX_URL": CLOSED, "PIP_RETRIES": "0"})
    out, err = child.communicate(timeout=120)
    assert child.returncode == 1
    assert "pip cannot reach its package index" in err
    assert "PIP_INDEX_URL" in err
    assert "Traceback" not in out + err
    assert "WARNING" not in out  # pip's own chatter stays in the log, and its end in the error
    assert (tree / ".venv").is_dir()
    assert not Environment(tree).is_ready()


def test_an_interruption_ends_pip_and_leaves_nothing_that_counts_as_done(tree, with_compiler):
    from installer.venv import Environment

    asked, finish = threading.Event(), threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            finish.wait(60)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    index = f"http://127.0.0.1:{server.server_port}/simple/"
    child = bootstrap(tree, {**with_compiler, "PIP_INDEX_URL": index}, start_new_session=True)
    try:
        assert asked.wait(60), "pip never asked the index"
        os.kill(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=30)
    finally:
        finish.set()
        server.shutdown()
        server.server_close()
    assert child.returncode == 130
    assert "interrupted" in err
    assert not Environment(tree).is_ready()
    assert str(tree) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
