"""The way to a server is opened again whatever happened to it, and never for nobody."""

import logging
import threading

import pytest

from edge_ai.routing.cloud.base import CloudUnreachableError
from edge_ai.routing.side import NoCloud
from edge_ai.runtime.uplink import Uplink

GONE = CloudUnreachableError("server", got="nobody there")


class Place:
    """A side that opens and answers pings when the test says so."""

    name = "grpc://server:8001"

    def __init__(self):
        self.unready, self.fault = "the server has not been reached yet", None
        self.opened, self.pings, self.closed = 0, [], False
        self._changed = threading.Condition()

    def open(self):
        with self._changed:
            self.opened += 1
            self.unready = "" if self.fault is None else str(self.fault)
            self._changed.notify_all()
            if self.fault is not None:
                raise self.fault

    def ping(self, done):
        with self._changed:
            self.pings.append(done)
            self._changed.notify_all()

    def close(self):
        self.closed = True

    def wait(self, condition):
        with self._changed:
            assert self._changed.wait_for(condition, 5)


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def make_uplink(request):
    def make(side, pinged=lambda seconds: None):
        uplink = Uplink(side, pinged, 0.01)
        request.addfinalizer(uplink.stop)
        uplink.start()
        return uplink

    return make


def test_a_sign_of_life_that_comes_late_does_not_lock_a_server_out(place, make_uplink):
    uplink = make_uplink(place)
    place.wait(lambda: len(place.pings) >= 2)
    place.fault = GONE
    place.pings[0](GONE)
    place.wait(lambda: place.opened >= 2)
    place.pings[1](0.01)
    place.fault = None
    place.wait(lambda: not place.unready)
    place.wait(lambda: len(place.pings) >= 4)
    assert uplink.fault == ""


def test_a_side_that_says_it_is_not_ready_is_opened_again_though_it_answers_pings(place, make_uplink):
    make_uplink(place)
    place.wait(lambda: place.pings)
    place.unready = "it refused 3 requests in a row"
    place.wait(lambda: place.opened == 2)
    assert place.unready == ""


def test_what_is_wrong_stays_known_until_it_is_open(place, make_uplink):
    uplink = make_uplink(place)
    place.wait(lambda: place.pings)
    place.fault = GONE
    place.pings[0](GONE)
    place.wait(lambda: place.opened >= 3)
    place.pings[0](0.01)
    assert "nobody there" in uplink.fault


def test_where_there_is_no_server_nothing_is_started_and_nothing_said(make_uplink, caplog):
    caplog.set_level(logging.INFO)
    before = threading.active_count()
    uplink = make_uplink(NoCloud())
    assert threading.active_count() == before
    uplink.stop()
    assert caplog.records == []


def test_each_connection_is_told_once(place, make_uplink, caplog):
    caplog.set_level(logging.INFO)
    make_uplink(place)
    place.wait(lambda: place.pings)
    for count in (2, 3):
        place.unready = "it refused requests"
        place.wait(lambda count=count: place.opened == count)
    place.wait(lambda: len(place.pings) >= 4)
    assert [record.getMessage() for record in caplog.records] == ["connected to grpc://server:8001"]
