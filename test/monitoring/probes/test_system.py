import socket
import subprocess
import sys
import time

import psutil
import pytest

from edge_ai.monitoring.probes.disk import DiskProbe
from edge_ai.monitoring.probes.system import SystemProbe


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def test_memory_and_processors():
    probe = SystemProbe()
    probe.open()
    until(lambda: "cpu" in probe.read())
    time.sleep(0.1)
    readings = probe.read()
    assert 0 <= readings["cpu"] <= 1
    assert 0 < readings["memory"] < 1
    assert readings["memory_total"] == psutil.virtual_memory().total
    assert readings["memory"] == pytest.approx(readings["memory_used"] / readings["memory_total"])
    assert all(0 <= readings[name] <= 1 for name in readings if name.startswith("cpu/"))


def test_a_process_that_eats_a_processor_is_seen():
    probe = SystemProbe()
    probe.open()
    cores = len(psutil.cpu_times(percpu=True))
    eaters = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        until(lambda: probe.read().get("cpu", 0) > 0.9)
    finally:
        for eater in eaters:
            eater.kill()
            eater.wait()


def test_a_process_that_eats_memory_is_seen():
    """Others may free as much at the same moment; hardly each time."""
    probe = SystemProbe()
    probe.open()
    assert any(seen_of_300_mib(probe) > (150 << 20) for _ in range(5))


def seen_of_300_mib(probe):
    before = probe.read()["memory_used"]
    script = "hog = bytearray(300 << 20); print('full', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as eater:
        assert eater.stdout.readline()
        more = probe.read()["memory_used"] - before
        eater.communicate("\n")
    return more


def test_traffic_is_counted_per_second():
    probe = SystemProbe(virtual=())
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        probe.open()
        sent, began = 0, time.monotonic()
        while time.monotonic() < began + 0.3:
            client.sendall(b"\0" * 10_000)
            accepted.recv(20_000)
            sent += 10_000
        rates = probe.read()
        accepted.close()
    seconds = time.monotonic() - began
    assert rates["network/lo/rx"] > 0.5 * sent / (seconds + 0.5)
    assert "network/lo/tx" in rates
    assert not any(name.startswith("network/lo") for name in SystemProbe().read())


def test_cores_that_are_switched_off_begin_anew():
    probe = SystemProbe()
    probe.open()
    probe._cores.append((1.0, 2.0))
    assert "cpu" not in probe.read()
    until(lambda: "cpu" in probe.read())


def test_the_first_look_has_no_rates():
    assert not any(name.startswith(("cpu", "network")) for name in SystemProbe().read())


def test_the_volume_of_a_folder(tmp_path):
    readings = DiskProbe(folder=tmp_path).read()
    assert 0 <= readings["disk"] <= 1
    assert readings["disk_free"] == pytest.approx(psutil.disk_usage(str(tmp_path)).free, rel=0.2)
    assert DiskProbe().read()["disk_free"] > 0
