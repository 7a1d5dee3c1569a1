"""What the proxy does to real connections. Times are only held from below: a busy machine makes everything later."""

import os
import socket
import threading
import time

import pytest

LIMIT = 30  # seconds a test waits at most for what must come
HELD = 0.3  # seconds in which nothing may come


class Echo:
    """A server that sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
            except ConnectionError:
                pass


@pytest.fixture
def proxy():
    from impairment.proxy import TcpProxy

    echo = Echo()
    with TcpProxy("127.0.0.1", echo.port) as made:
        yield made
    echo.listener.shutdown(socket.SHUT_RDWR)
    echo.listener.close()


@pytest.fixture
def connect(proxy):
    made = []

    def new():
        made.append(socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT))
        return made[-1]

    yield new
    for each in made:
        each.close()


@pytest.fixture
def conditions():
    from impairment.schedule import Conditions

    return Conditions


def read(connection, size):
    """So many bytes."""
    got = bytearray()
    while len(got) < size:
        piece = connection.recv(1 << 16)
        assert piece, "the connection ended"
        got += piece
    return bytes(got)


def round_trip(connection, data=b"ping"):
    """Send, and wait for the echo; the seconds it took."""
    start = time.monotonic()
    connection.sendall(data)
    assert read(connection, len(data)) == data
    return time.monotonic() - start


def wait_until(condition):
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def silent(connection):
    connection.settimeout(HELD)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(LIMIT)
    return True


def test_it_carries_everything_unchanged_and_in_order(proxy, connect):
    data = os.urandom(3_000_000)
    connection, got = connect(), bytearray()
    sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
    sender.start()
    while piece := connection.recv(1 << 16):
        got += piece
    sender.join()
    assert got == data


def test_delay_holds_each_direction_of_a_connection_that_is_there(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    proxy.set(conditions(delay=0.05))
    assert min(round_trip(connection) for _ in range(5)) >= 0.1
    proxy.set(conditions())
    assert min(round_trip(connection) for _ in range(20)) < 0.1


def test_jitter_spreads_and_does_not_reorder(proxy, connect, conditions):
    connection = connect()
    proxy.set(conditions(delay=0.01, jitter=0.05))
    times = [round_trip(connection) for _ in range(20)]
    assert min(times) >= 0.02
    assert max(times) - min(times) > 0.02
    data = os.urandom(50_000)
    for start in range(0, len(data), 1000):
        connection.sendall(data[start : start + 1000])
    assert read(connection, len(data)) == data


def test_rate_is_shared_by_all_connections(proxy, connect, conditions):
    one, other = connect(), connect()
    proxy.set(conditions(rate=50_000))
    start = time.monotonic()
    one.sendall(bytes(10_000))
    other.sendall(bytes(10_000))
    for connection in (one, other):
        read(connection, 10_000)
    assert time.monotonic() - start >= 20_000 / 50_000


def test_what_is_held_goes_at_once_when_the_link_gets_better(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    proxy.set(conditions(delay=3600, rate=1))
    connection.sendall(bytes(5000))
    assert silent(connection)
    proxy.set(conditions())
    read(connection, 5000)


def test_loss_stalls_for_retransmissions(proxy, connect, conditions):
    connection = connect()
    proxy.set(conditions(loss=0.2))
    times = [round_trip(connection) for _ in range(25)]
    stalled = sum(seconds >= 0.2 for seconds in times)
    assert 2 <= stalled <= 20  # of 25 with a chance of 0.36 each


def test_in_a_black_hole_nothing_arrives_and_nothing_ends(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    proxy.set(conditions(blackhole=True))
    connection.sendall(b"lost?")
    assert silent(connection)
    late = connect()
    late.sendall(b"me too?")
    assert silent(late)
    proxy.set(conditions())
    assert connection.recv(5) == b"lost?"
    assert late.recv(7) == b"me too?"


def test_reset_ends_a_response_in_its_middle(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    proxy.set(conditions(reset=True))
    connection.sendall(bytes(1000))
    with pytest.raises(ConnectionResetError):
        read(connection, 1000)
    wait_until(lambda: proxy.connections == 0)


def test_refuse_keeps_the_port_and_what_is_connected(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    for _ in range(3):
        proxy.set(conditions(refuse=True))
        with pytest.raises(ConnectionRefusedError):
            connect()
        round_trip(connection)
        proxy.set(conditions())
        round_trip(connect())
    assert proxy.accepted == 4


def test_slow_loris_dribbles_responses(proxy, connect, conditions):
    connection = connect()
    round_trip(connection)
    proxy.set(conditions(slow_loris=True))
    start = time.monotonic()
    connection.sendall(b"abc")
    assert connection.recv(100) == b"a"
    assert connection.recv(100) == b"b"
    assert time.monotonic() - start >= 2
    proxy.set(conditions())
    assert connection.recv(100) == b"c"


def test_cut_resets_all_connections(proxy, connect):
    connections = [connect() for _ in range(3)]
    for connection in connections:
        round_trip(connection)
    assert proxy.connections == 3
    proxy.cut()
    for connection in connections:
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    wait_until(lambda: proxy.connections == 0)
    round_trip(connect())


def test_a_target_that_is_not_there_resets():
    from impairment.proxy import TcpProxy

    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with TcpProxy("127.0.0.1", port) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(LIMIT)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_nothing_is_left_of_it(conditions):
    from impairment.proxy import TcpProxy

    echo = Echo()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for state in (conditions(), conditions(blackhole=True), conditions(delay=60), conditions(refuse=True)):
        proxy = TcpProxy("127.0.0.1", echo.port)
        connections = [socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) for _ in range(20)]
        round_trip(connections[0])
        proxy.set(state)
        connections[0].sendall(b"under way")
        proxy.close()
        proxy.close()
        for connection in connections:
            connection.close()
    wait_until(lambda: threading.active_count() == threads and len(os.listdir("/proc/self/fd")) == descriptors)
    echo.listener.shutdown(socket.SHUT_RDWR)
    echo.listener.close()


@pytest.mark.parametrize("wrong", [{"delay": -1}, {"loss": 1.5}, {"rate": float("nan")}, {"jitter": float("inf")}])
def test_conditions_have_ranges(conditions, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        conditions(**wrong)
