"""What the link does to real packets. Times are only held from below: a busy machine makes everything later."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIMIT = 30  # seconds a test waits at most for what must come
HELD = 0.3  # seconds in which nothing may come
SERVER = """
import socket, sys, threading
tcp, udp = socket.create_server((sys.argv[1], 7000)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 7000))
def datagrams():
    while True:
        udp.sendto(*udp.recvfrom(2000))
def stream(connection):
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)
threading.Thread(target=datagrams, daemon=True).start()
print("up", flush=True)
while True:
    threading.Thread(target=stream, args=(tcp.accept()[0],), daemon=True).start()
"""


@pytest.fixture(scope="module")
def far():
    """A link with an echo of TCP and UDP at its far end."""
    from impairment.link import Link

    if why := Link.available():
        pytest.skip(why)
    with Link(seed=3) as link:
        command = link.server_command([sys.executable, "-c", SERVER, link.host])
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            assert server.stdout.readline() == b"up\n"
            yield link
            server.kill()


@pytest.fixture
def link(far, conditions):
    yield far
    far.set(conditions())


@pytest.fixture
def conditions():
    from impairment.schedule import Conditions

    return Conditions


@pytest.fixture
def stream(link):
    with socket.create_connection((link.host, 7000), timeout=LIMIT) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield made


@pytest.fixture
def datagrams(link):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect((link.host, 7000))
        made.settimeout(LIMIT)
        yield made


def round_trip(connection, size=4):
    start = time.monotonic()
    connection.sendall(bytes(size))
    while size > 0:
        piece = connection.recv(min(size, 1 << 16))
        assert piece, "the connection ended"
        size -= len(piece)
    return time.monotonic() - start


def arrivals(datagrams, quiet):
    """How many come until none came for a while."""
    came = 0
    while select.select([datagrams], [], [], quiet)[0]:
        datagrams.recv(2000)
        came += 1
    return came


def answered(datagrams, count):
    """Of so many datagrams, how many come back; few at a time, so that no socket's buffer overflows."""
    came = 0
    for number in range(count):
        datagrams.send(number.to_bytes(4, "big"))
        if number % 40 == 39:
            came += arrivals(datagrams, HELD / 6)
    return came + arrivals(datagrams, HELD)


def test_megabytes_pass_unchanged(stream):
    data, got = os.urandom(2_000_000), bytearray()
    for start in range(0, len(data), 100_000):
        stream.sendall(data[start : start + 100_000])
        while len(got) < start + 100_000:
            got += stream.recv(1 << 16)
    assert got == data


def test_delay_holds_handshakes_and_each_direction(link, stream, conditions):
    round_trip(stream)
    link.set(conditions(delay=0.05))
    assert link.conditions.delay == 0.05
    assert min(round_trip(stream) for _ in range(5)) >= 0.1
    start = time.monotonic()
    socket.create_connection((link.host, 7000), timeout=LIMIT).close()
    assert time.monotonic() - start >= 0.1
    link.set(conditions())
    assert min(round_trip(stream) for _ in range(20)) < 0.1


def test_jitter_spreads_and_does_not_reorder(link, datagrams, conditions):
    link.set(conditions(delay=0.01, jitter=0.05))
    times = [round_trip(datagrams) for _ in range(20)]
    assert min(times) >= 0.02
    assert max(times) - min(times) > 0.02
    for number in range(200):
        datagrams.send(number.to_bytes(2, "big"))
    assert [int.from_bytes(datagrams.recv(2000), "big") for _ in range(200)] == list(range(200))


def test_packets_are_lost_in_both_directions_at_the_rate_asked_for(link, datagrams, conditions):
    assert answered(datagrams, 100) == 100
    link.set(conditions(loss=0.2))
    assert 0.64 - 0.12 < answered(datagrams, 400) / 400 < 0.64 + 0.12  # five standard deviations
    link.set(conditions(loss=1.0))
    assert answered(datagrams, 50) == 0


def test_tcp_survives_loss(link, stream, conditions):
    link.set(conditions(loss=0.05))
    round_trip(stream, 300_000)


def test_rate_holds_for_all_connections_together(link, stream, conditions):
    round_trip(stream)
    with socket.create_connection((link.host, 7000), timeout=LIMIT) as other:
        link.set(conditions(rate=100_000))
        start = time.monotonic()
        stream.sendall(bytes(50_000))
        other.sendall(bytes(50_000))
        for connection in (stream, other):
            left = 50_000
            while left > 0:
                left -= len(connection.recv(1 << 16))
        assert time.monotonic() - start >= 1.0


def test_a_narrow_link_drops_what_its_buffer_does_not_hold(link, datagrams, conditions):
    link.set(conditions(rate=20_000))
    for _ in range(200):
        datagrams.send(bytes(1400))
    link.set(conditions())  # what was in the buffer comes now
    assert 10 <= arrivals(datagrams, HELD) <= 40  # 32 kB of 1.4 kB each, and what had passed


def test_a_black_hole_swallows_and_tells_nobody(link, stream, datagrams, conditions):
    round_trip(stream)
    link.set(conditions(blackhole=True))
    datagrams.send(b"lost")
    stream.sendall(b"late")
    with pytest.raises(TimeoutError):
        socket.create_connection((link.host, 7000), timeout=HELD)
    assert select.select([datagrams, stream], [], [], HELD)[0] == []
    link.set(conditions())
    assert stream.recv(4) == b"late"  # TCP sends it again; the datagram is gone
    datagrams.send(b"here")
    assert datagrams.recv(10) == b"here"


def test_what_is_under_way_comes_at_once_when_the_link_gets_better(link, datagrams, conditions):
    link.set(conditions(delay=3600))
    datagrams.send(b"held")
    assert select.select([datagrams], [], [], HELD)[0] == []
    link.set(conditions(delay=0.01))
    assert arrivals(datagrams, HELD) == 1


@pytest.mark.parametrize("servers", [{"reset": True}, {"refuse": True}, {"slow_loris": True}])
def test_what_only_a_server_does_is_refused(link, conditions, servers):
    with pytest.raises(ValueError, match="TcpProxy"):
        link.set(conditions(**servers))


def devices():
    return {name for name in os.listdir("/sys/class/net") if name.startswith("eai")}


def wait_until(condition):
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_nothing_is_left_when_it_is_closed(far):
    from impairment.link import Link, LinkError
    from impairment.schedule import Conditions

    descriptors, before = len(os.listdir("/proc/self/fd")), devices()
    with Link() as link:
        assert link.host != far.host
        assert len(devices() - before) == 1
    link.close()
    wait_until(lambda: devices() <= before)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    with pytest.raises(LinkError, match="gone"):
        link.set(Conditions())


def test_nothing_is_left_when_the_process_that_made_it_is_killed(far):
    tools = str(Path(__file__).resolve().parents[3] / "tools")
    script = (
        "import sys; from impairment.link import Link; link = Link(); print(link._process.pid, flush=True); input()"
    )
    maker = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": tools},
    )
    forwarder = int(maker.stdout.readline())
    mine = f"eai{maker.pid}n"
    assert any(name.startswith(mine) for name in devices())
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    wait_until(lambda: not any(name.startswith(mine) for name in devices()))
    # An orphan that nobody waits for may stay as a zombie.
    wait_until(lambda: not Path(f"/proc/{forwarder}/ns/net").exists() or not os.listdir(f"/proc/{forwarder}/fd"))
    maker.stdin.close()
    maker.stdout.close()


def test_a_machine_without_the_tools_says_so(monkeypatch):
    from impairment.link import Link, LinkError

    monkeypatch.setenv("PATH", "/nowhere")
    assert Link.available() == "no ip and no unshare and no nsenter on this machine"
    with pytest.raises(LinkError, match="no unshare"):
        Link()
