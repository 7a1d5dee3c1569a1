import threading

import pytest

from edge_ai.runtime.worker_pool import WorkerPool


@pytest.fixture
def make_pool(request):
    def make(threads=1, backlog=2):
        pool = WorkerPool("test-pool", threads, backlog)
        request.addfinalizer(pool.close)
        return pool

    return make


class Busy:
    """A job that lasts until told otherwise."""

    def __init__(self, pool):
        self.begun, self.go = threading.Event(), threading.Event()
        assert pool.submit(self.run, lambda: None)
        assert self.begun.wait(5)

    def run(self):
        self.begun.set()
        assert self.go.wait(10)


def test_the_oldest_of_those_that_wait_is_dropped_and_told(make_pool):
    pool, told, done = make_pool(), [], threading.Event()
    busy = Busy(pool)
    for i in range(5):
        pool.submit(lambda i=i: told.append(("run", i)), lambda i=i: told.append(("dropped", i)))
    assert told == [("dropped", 0), ("dropped", 1), ("dropped", 2)]
    busy.go.set()
    pool.submit(done.set, lambda: None)
    assert done.wait(5)
    assert told[3:] == [("run", 3), ("run", 4)] or told[3:] == [("dropped", 3), ("run", 4)]


def test_urgent_jobs_come_first_and_are_never_dropped(make_pool):
    pool, told, done = make_pool(), [], threading.Event()
    busy = Busy(pool)
    pool.submit(done.set, lambda: None)
    for i in range(10):
        pool.urgent(lambda i=i: told.append(i))
    busy.go.set()
    assert done.wait(5)
    assert told == list(range(10))


def test_a_job_that_fails_ends_no_thread(make_pool, caplog):
    pool, done = make_pool(), threading.Event()
    pool.urgent(lambda: 1 / 0)
    pool.urgent(done.set)
    assert done.wait(5)
    assert "a job failed" in caplog.text


def test_two_threads_work_at_the_same_time(make_pool):
    pool = make_pool(threads=2)
    first, second = Busy(pool), Busy(pool)
    first.go.set()
    second.go.set()


def test_closing_tells_those_that_wait_and_leaves_no_thread(make_pool):
    pool, told = make_pool(), []
    busy = Busy(pool)
    pool.submit(lambda: told.append("run"), lambda: told.append("dropped"))
    busy.go.set()
    pool.close()
    pool.close()
    assert told in (["dropped"], ["run"])
    assert not pool.submit(lambda: None, lambda: None)
    assert not pool.urgent(lambda: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-pool")]


def test_a_job_may_close_the_pool(make_pool):
    pool, done = make_pool(), threading.Event()
    pool.urgent(lambda: (pool.close(), done.set()))
    assert done.wait(5)
