from __future__ import annotations

import threading

import pytest

from edge_ai.backends.cuda_memory import CudaError
from edge_ai.backends.trt_lanes import Lanes


class Lane:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


class Maker:
    """Makes lanes until there is no memory for more."""

    def __init__(self, room=99, fault="out of memory"):
        self.made, self._room, self._fault = [], room, fault

    def __call__(self):
        if len(self.made) >= self._room:
            raise CudaError("cuMemAlloc", self._fault)
        self.made.append(Lane())
        return self.made[-1]


def users(lanes, number):
    """So many threads that take a lane each, and what they do when told."""
    taken, leave, failures = [], threading.Event(), []

    def use():
        try:
            with lanes.lane() as lane:
                taken.append(lane)
                leave.wait(10)
        except CudaError as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(number)]
    for thread in threads:
        thread.start()

    def end():
        leave.set()
        for thread in threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in threads)
        return failures

    return taken, end


def wait_for(condition):
    deadline = threading.Event()
    for _ in range(1000):
        if condition():
            return
        deadline.wait(0.01)
    raise AssertionError("waited in vain")


def test_one_is_made_at_once_and_others_when_they_are_needed():
    make = Maker()
    lanes = Lanes(make, 3)
    assert len(make.made) == 1
    taken, end = users(lanes, 3)
    wait_for(lambda: len(taken) == 3)
    assert set(taken) == set(make.made)
    end()
    with lanes.lane():
        pass
    assert len(make.made) == 3


def test_more_users_than_lanes_wait_for_their_turn():
    make = Maker()
    lanes = Lanes(make, 2)
    taken, end = users(lanes, 5)
    wait_for(lambda: len(taken) == 2)
    end()
    assert len(taken) == 5
    assert len(make.made) == 2


def test_a_thread_gets_the_lane_that_it_had():
    lanes = Lanes(Maker(), 2)
    _, end = users(lanes, 1)
    with lanes.lane() as mine:
        pass
    end()
    for _ in range(5):
        with lanes.lane() as again:
            assert again is mine


def test_without_memory_for_more_they_are_shared(caplog):
    make = Maker(room=1)
    lanes = Lanes(make, 3)
    taken, end = users(lanes, 3)
    wait_for(lambda: len(taken) == 1)
    assert end() == []
    assert len(taken) == 3
    assert "share 1 TensorRT contexts" in caplog.text


def test_a_lost_device_is_told():
    lanes = Lanes(Maker(room=1, fault="cudaErrorIllegalAddress"), 2)
    with lanes.lane():
        _, end = users(lanes, 1)
        (error,) = end()
    assert error.lost


def test_not_even_one():
    with pytest.raises(CudaError):
        Lanes(Maker(room=0), 2)


def test_closing_frees_them_all():
    make = Maker()
    lanes = Lanes(make, 2)
    _, end = users(lanes, 2)
    end()
    lanes.close()
    assert all(lane.closed for lane in make.made)
