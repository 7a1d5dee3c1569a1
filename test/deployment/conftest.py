"""A container engine of this test run's own, and an image of one program, made from nothing."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "edge_ai/test:1"
_TOOLS = ["sh", "sleep", "echo", "cat", "id", "touch", "httpd", "trap", "wait", "kill"]


def program(name):
    """Where a program of Debian's is, installed or brought by tools/programs.py; or None."""
    programs = ROOT / "out" / "programs"
    places = [*programs.glob("*/usr/*bin"), *programs.glob("*/bin")]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, places)))


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory):
    """The address of a real engine with an image that has a shell: dockerd, as root, without networks of its own."""
    daemon, busybox = program("dockerd"), program("busybox")
    if os.geteuid() != 0 or daemon is None or busybox is None:
        pytest.skip("needs root, dockerd and a static busybox: python3 tools/programs.py docker")
    folder = tmp_path_factory.mktemp("dockerd")
    socket = folder / "socket"
    command = [daemon, f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    command += [f"--host=unix://{socket}", "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
    beside = Path(daemon).parents[1]  # containerd and runc
    path = os.pathsep.join([str(beside / "bin"), str(beside / "sbin"), os.environ["PATH"]])
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": path})
    try:
        _fill(f"unix://{socket}", child, Path(busybox))
        yield f"unix://{socket}"
    finally:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(20)
        child.kill()
        subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True, check=False)  # it leaves that


def _fill(url, child, busybox):
    docker = pytest.importorskip("docker")
    end = time.monotonic() + 20
    while True:
        try:
            client = docker.DockerClient(url, version="auto")
            client.api.import_image_from_data(_image(busybox), repository=IMAGE.split(":")[0], tag=IMAGE.split(":")[1])
            client.close()
            return
        except docker.errors.DockerException as error:
            if child.poll() is not None or time.monotonic() > end:
                pytest.skip(f"no container engine runs here: {error}")
            time.sleep(0.1)


def _image(busybox):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.add(busybox.resolve(), "bin/busybox")
        for name in _TOOLS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return data.getvalue()
