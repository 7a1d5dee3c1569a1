import sys
import threading
import time

import pytest

from edge_ai.monitoring.profiling.thread_times import thread_ids, thread_name, thread_ns

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clocks of threads are Linux's")


def test_the_clock_of_a_thread_is_the_one_it_reads_itself():
    before = time.thread_time_ns()
    seen = thread_ns(threading.get_native_id())
    assert before <= seen <= time.thread_time_ns()


def test_a_thread_that_has_ended_has_no_clock_and_no_name():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    native_id = thread.native_id
    thread.join()
    # The kernel takes a moment more than Python.
    until = time.monotonic() + 10
    while thread_ns(native_id) is not None and time.monotonic() < until:
        time.sleep(0.001)
    assert thread_ns(native_id) is None
    assert thread_name(native_id) == ""


def test_all_threads_are_listed():
    assert threading.get_native_id() in thread_ids()
    assert thread_name(threading.get_native_id())
