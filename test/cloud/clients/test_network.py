"""Networks that fail in every way: nothing hangs longer than its deadline, and what comes back is used again."""

import socket
import struct
import threading
import time

import pytest
from impairment.proxy import TcpProxy
from impairment.schedule import Conditions

from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAnswerError,
    CloudAuthError,
    CloudError,
    CloudTimeoutError,
    CloudUnreachableError,
)

oip = pytest.importorskip("oip_server")
until = oip.until

LATE = 2.0  # s that this machine may be late when it is busy


@pytest.fixture
def proxied(serve, connect, resources):
    """A client that asks through a proxy, and the proxy."""
    proxy = resources.enter_context(TcpProxy("127.0.0.1", serve().port))
    client = connect(proxy.port)
    client.open("m", "", 5)
    return client, proxy


@pytest.fixture
def silent():
    """A port that takes connections and says nothing; and one whose queue of connections is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield listener.getsockname()[1]


def timed(asked):
    outcome = asked.wait()
    return outcome, asked.took


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_black_hole_while_connecting(silent, connect, ask, secure):
    client = connect(silent, secure=secure)
    error, took = timed(ask(client, timeout=0.3, wait=False))
    assert type(error) is CloudTimeoutError
    assert 0.29 <= took < 0.3 + LATE
    begun = time.monotonic()
    with pytest.raises(CloudTimeoutError):
        client.open("m", "", 0.3)
    assert time.monotonic() - begun < 0.3 + LATE


def test_a_server_whose_packets_get_lost(connect, ask):
    """Nothing answers a SYN once the queue of connections is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address, fillers = listener.getsockname(), []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            fillers.append(filler)
        error, took = timed(ask(connect(address[1]), timeout=0.3, wait=False))
        for filler in fillers:
            filler.close()
    assert type(error) is CloudTimeoutError
    assert took < 0.3 + LATE


def test_nobody_listens(connect, ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error, took = timed(ask(connect(taken.getsockname()[1]), wait=False))
    assert type(error) is CloudUnreachableError
    assert took < LATE


def test_a_name_that_nobody_knows(connect, ask):
    error = ask(connect(8001, host="server.invalid"))
    assert isinstance(error, (CloudUnreachableError, CloudTimeoutError))


def test_a_black_hole_under_a_connection_and_its_end(proxied, ask, answers):
    client, proxy = proxied
    assert answers(client)
    proxy.set(Conditions(blackhole=True))
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        error, took = timed(ask(client, timeout=0.25, wait=False))
        assert type(error) is CloudTimeoutError
        assert took < 0.25 + LATE
    proxy.set(Conditions())
    assert until(lambda: answers(client, timeout=1.0))


def test_a_connection_that_is_dead_for_good_is_given_up(proxied, ask, answers):
    """A router on the way forgot the connection: what is sent over it goes nowhere, new ones work."""
    client, proxy = proxied
    accepted = proxy.accepted
    proxy.set(Conditions(blackhole=True))
    assert until(lambda: ask(client, timeout=0.3) and proxy.accepted > accepted)
    proxy.set(Conditions())
    assert answers(client)


def test_a_reset_in_mid_response(proxied, ask, answers):
    client, proxy = proxied
    proxy.set(Conditions(reset=True))
    for _ in range(5):
        error, took = timed(ask(client, wait=False))
        assert isinstance(error, CloudUnreachableError)
        assert took < LATE
    proxy.set(Conditions())
    assert answers(client)


def test_connections_cut_while_requests_are_under_way(proxied, ask, answers, behaviour):
    client, proxy = proxied
    behaviour.hold = 30
    asked = [ask(client, timeout=20, wait=False) for _ in range(8)]
    assert until(lambda: behaviour.seen == 8)
    proxy.cut()
    assert all(isinstance(one.wait(), CloudUnreachableError) for one in asked)
    behaviour.hold = 0
    assert answers(client)


def test_a_response_that_dribbles(proxied, ask, answers):
    client, proxy = proxied
    proxy.set(Conditions(slow_loris=True))
    error, took = timed(ask(client, timeout=0.5, wait=False))
    assert type(error) is CloudTimeoutError
    assert 0.49 <= took < 0.5 + LATE
    proxy.set(Conditions())
    assert until(lambda: answers(client, timeout=2.0))


def test_a_refused_connection_and_its_end(proxied, ask, answers):
    client, proxy = proxied
    proxy.set(Conditions(refuse=True))
    proxy.cut()
    for _ in range(3):
        assert isinstance(ask(client), CloudUnreachableError)
    proxy.set(Conditions())
    assert answers(client)


def test_a_far_server(proxied, ask):
    client, proxy = proxied
    proxy.set(Conditions(delay=0.05))
    asked = ask(client, wait=False)
    assert isinstance(asked.wait(), CloudAnswer)
    assert asked.took >= 0.1


def test_a_slow_link(proxied, ask):
    """200 kbit/s: a small image comes through, a large one runs out of time, and the next one is not held up by it."""
    client, proxy = proxied
    proxy.set(Conditions(rate=25_000))
    small = ask(client, size=5000, wait=False)
    assert isinstance(small.wait(), CloudAnswer)
    assert small.took >= 0.15
    assert type(ask(client, size=2_000_000, timeout=0.5)) is CloudTimeoutError
    proxy.set(Conditions())
    assert isinstance(ask(client, size=5000), CloudAnswer)


def test_loss(proxied, ask):
    client, proxy = proxied
    proxy.set(Conditions(loss=0.05, delay=0.005))
    outcomes = [ask(client, timeout=3, size=20_000) for _ in range(16)]
    assert sum(isinstance(outcome, CloudAnswer) for outcome in outcomes) >= 13
    assert all(isinstance(outcome, (CloudAnswer, CloudTimeoutError)) for outcome in outcomes)


class Talker:
    """A server of another kind: says some bytes to whoever connects."""

    def __init__(self, words, *, linger=False):
        self._listener, self._linger, self._words = socket.create_server(("127.0.0.1", 0)), linger, words
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                try:
                    client.settimeout(1)
                    client.recv(1 << 16)
                    client.sendall(self._words)
                    if self._linger:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.mark.parametrize("linger", [False, True], ids=["closes", "resets"])
@pytest.mark.parametrize("words", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_server_of_another_kind(connect, ask, resources, words, linger):
    talker = Talker(words, linger=linger)
    resources.callback(talker.close)
    error, took = timed(ask(connect(talker.port), timeout=3, wait=False))
    assert isinstance(error, (CloudUnreachableError, CloudAnswerError, CloudTimeoutError))
    assert not isinstance(error, CloudAuthError)
    assert took < 3 + LATE


def test_an_answer_that_is_no_answer(serve, connect, ask, behaviour, protocol):
    if protocol != "http":
        pytest.skip("gRPC reads its messages by itself")
    client = connect(serve().port)
    behaviour.mode = "garbage"
    assert type(ask(client)) is CloudAnswerError
    behaviour.mode = "reset"
    assert type(ask(client)) is CloudUnreachableError
    behaviour.mode = "dribble"
    error, took = timed(ask(client, timeout=0.5, wait=False))
    assert type(error) is CloudTimeoutError
    assert took < 0.5 + LATE


def test_opening_ends_in_time_wherever_it_is_stuck(proxied, connect):
    _, proxy = proxied
    proxy.set(Conditions(slow_loris=True))
    begun = time.monotonic()
    with pytest.raises(CloudError):
        connect(proxy.port).open("m", "", 0.5)
    assert time.monotonic() - begun < 0.5 + LATE
