"""5000 requests, and nothing is left: no thread, no socket, no memory, no warning."""

import gc
import threading
import warnings

import psutil
import pytest

from edge_ai.routing.cloud.base import CloudAnswer, CloudTimeoutError

oip = pytest.importorskip("oip_server")
until = oip.until

REQUESTS = 5000
MEGABYTE = 2**20
PROCESS = psutil.Process()


def sockets(port):
    """Open connections of this process to a port, its own server's side not counted."""
    return [c for c in PROCESS.net_connections("tcp") if c.raddr and c.raddr.port == port and c.status != "TIME_WAIT"]


def burst(ask, client, count, **how):
    """So many requests, eight at once."""
    kinds = set()
    for _ in range(0, count, 8):
        kinds |= {type(one.wait(30)) for one in [ask(client, wait=False, **how) for _ in range(8)]}
    return kinds


def test_nothing_is_left_of_many_requests(serve, connect, ask, protocol):
    server = serve()
    client = connect(server.port)
    client.open("m", "", 5)
    burst(ask, client, 1000, size=20_000)
    gc.collect()
    threads, memory, open_now = threading.active_count(), PROCESS.memory_info().rss, len(sockets(server.port))
    assert burst(ask, client, REQUESTS, size=20_000) == {CloudAnswer}
    gc.collect()
    assert threading.active_count() <= threads
    assert len(sockets(server.port)) <= open_now <= 8
    assert PROCESS.memory_info().rss - memory < 16 * MEGABYTE  # 5000 requests of 20 kB are 100 MB
    assert not client._tasks
    client.close()
    assert until(lambda: not sockets(server.port))
    assert until(lambda: "cloud-clients" not in [thread.name for thread in threading.enumerate()])


def test_nothing_is_left_of_requests_that_ran_out_of_time(serve, connect, ask, behaviour):
    server = serve()
    client = connect(server.port)
    client.open("m", "", 5)
    behaviour.hold = 30
    burst(ask, client, 80, timeout=0.01)
    gc.collect()
    threads, memory = threading.active_count(), PROCESS.memory_info().rss
    assert burst(ask, client, 400, timeout=0.01, size=200_000) == {CloudTimeoutError}
    gc.collect()
    assert threading.active_count() <= threads
    assert until(lambda: len(sockets(server.port)) <= 2)
    assert PROCESS.memory_info().rss - memory < 32 * MEGABYTE
    assert not client._tasks


def test_clients_come_and_go_without_a_trace(serve, connect, answers, protocol):
    server = serve()
    connect(server.port).close()
    for _ in range(3):
        client = connect(server.port)
        assert answers(client)
        client.close()
    gc.collect()
    files = PROCESS.num_fds()
    threads = PROCESS.num_threads()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(40):
            client = connect(server.port)
            assert answers(client)
            client.close()
        gc.collect()
    assert [str(one.message) for one in told if one.category in (ResourceWarning, RuntimeWarning)] == []
    assert until(lambda: not sockets(server.port))
    assert until(lambda: PROCESS.num_fds() <= files + 4), "files are left open"
    assert PROCESS.num_threads() <= threads + 4


@pytest.mark.parametrize("under_way", [1, 8])
def test_closing_in_the_middle_leaves_nothing(serve, connect, ask, behaviour, under_way):
    server = serve()
    behaviour.hold = 30
    client = connect(server.port)
    asked = [ask(client, timeout=20, wait=False) for _ in range(under_way)]
    assert until(lambda: behaviour.seen == under_way)
    client.close()
    assert all(one.wait() for one in asked)
    assert until(lambda: not sockets(server.port))
    assert until(lambda: "cloud-clients" not in [thread.name for thread in threading.enumerate()])
