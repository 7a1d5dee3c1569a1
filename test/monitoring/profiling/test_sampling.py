"""Both samplers on real threads: those that work are seen where they work, those that wait are not."""

import contextlib
import subprocess
import sys
import threading
import time
import zlib

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.profiling.in_process import InProcessSampler, short_path
from edge_ai.monitoring.profiling.py_spy import PySpySampler, parse
from edge_ai.monitoring.profiling.sampling import SAMPLERS, sampler_for

BLOCK = bytes(range(256)) * 400
linux = pytest.mark.skipif(sys.platform != "linux", reason="clocks of threads are Linux's")


def compress(end):
    while not end.is_set():
        zlib.compress(BLOCK, 6)  # lets go of the interpreter


def count(end):
    while not end.is_set():
        sum(range(50_000))


@contextlib.contextmanager
def threads(*targets, waiting=20):
    end = threading.Event()
    sleeping = [threading.Thread(target=end.wait, name=f"waits {i}") for i in range(waiting)]
    working = [threading.Thread(target=target, args=(end,), name=f"{target.__name__};") for target in targets]
    for thread in sleeping:
        thread.start()
    settle(sleeping)  # beginning is work, too
    for thread in working:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in sleeping + working:
            thread.join()


def settle(threads):
    """Wait until the threads use no processor time."""
    clocks = [time.pthread_getcpuclockid(thread.ident) for thread in threads]
    before, now = None, [time.clock_gettime(clock) for clock in clocks]
    while now != before:
        time.sleep(0.05)
        before, now = now, [time.clock_gettime(clock) for clock in clocks]


@linux
@pytest.mark.parametrize("target", [compress, count])
def test_from_within_what_works_is_seen_and_adds_up_to_what_the_kernel_says(target):
    with threads(target):
        before = time.process_time()
        stacks = InProcessSampler().sample(1.0, 50)
        used = time.process_time() - before
    mine = {stack: seconds for stack, seconds in stacks.weights.items() if stack[0] == f"{target.__name__};"}
    assert mine
    assert all(f"{target.__name__} (" in stack[-1] for stack in mine)
    assert not [stack for stack in stacks.weights if stack[0].startswith("waits")]
    assert stacks.busy + stacks.own == pytest.approx(used, rel=0.2, abs=0.05)
    assert stacks.threads == threading.active_count() + 21
    assert stacks.samples > 0


@linux
def test_what_a_thread_used_counts_where_it_works_not_where_it_sleeps():
    def sometimes(end):
        while not end.wait(0.002):
            compress_once()

    with threads(sometimes):
        stacks = InProcessSampler().sample(1.0, 100)
    mine = [stack for stack in stacks.weights if stack[0].startswith("sometimes")]
    assert mine
    assert all("compress_once" in stack[-1] or "wait" not in stack[-1] for stack in mine)


def compress_once():
    for _ in range(5):
        zlib.compress(BLOCK, 6)


def test_sampling_ends_when_told_to():
    stop = threading.Event()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(InProcessSampler().sample(1e6, 100, stop)))
    thread.start()
    stop.set()
    thread.join(20)
    assert taken[0].seconds < 20


def test_paths_are_short_and_tell_files_apart():
    assert short_path(threading.__file__) == "threading.py"
    assert short_path("/nowhere/known/file.py") == "file.py"
    assert short_path(pytest.__file__) == "pytest/__init__.py"


def test_the_words_of_py_spy_are_read_even_where_a_thread_has_its_separator_in_its_name():
    raw = (
        "thread (7): busy; one;Thread.run (threading.py:971);work (a.py:5) 4\n"
        "thread (8);main (b.py:1) 1\n"
        "thread (0x7F): pool;run (<frozen runpy>:88) 5\n"
        "\nnonsense\n"
    )
    weights, samples = parse(raw, 10)
    assert weights == {
        ("busy; one", "Thread.run (threading.py:971)", "work (a.py:5)"): 0.4,
        ("thread", "main (b.py:1)"): 0.1,
        ("pool", "run (<frozen runpy>:88)"): 0.5,
    }
    assert samples == 10


@pytest.fixture(name="victim")
def _victim():
    """A process that counts on a thread of its own."""
    script = (
        "import threading\n"
        "def count_on():\n"
        "    print('ready', flush=True)\n"
        "    while True: sum(range(10000))\n"
        "threading.Thread(target=count_on, name='counter', daemon=True).start()\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture(name="py_spy")
def _py_spy(victim):
    """py-spy on that process, where it is installed and may look."""
    if not PySpySampler.executable():
        pytest.skip("py-spy is not installed")
    words = [PySpySampler.executable(), "dump", "--nonblocking", "--pid", str(victim.pid)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("py-spy may not look at other processes here")
    return PySpySampler(victim.pid)


def test_from_outside_another_process_is_seen(py_spy):
    stacks = py_spy.sample(1.5, 20)
    assert any(stack[0] == "counter" and "count_on" in stack[-1] for stack in stacks.weights)
    assert 1.5 <= stacks.seconds < 30
    assert stacks.own > 0


def test_from_outside_this_process_is_seen_too(py_spy):
    with threads(count, waiting=5):
        stacks = PySpySampler().sample(1.5, 20)
    assert any(stack[0] == "count;" for stack in stacks.weights)


def test_a_process_that_is_not_there_is_an_error_in_words():
    if not PySpySampler.executable():
        pytest.skip("py-spy is not installed")
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with pytest.raises(EdgeAIError, match=f"py-spy on process {gone.pid}"):
        PySpySampler(gone.pid).sample(60, 20)


def test_without_py_spy_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(PySpySampler, "executable", staticmethod(lambda: ""))
    with pytest.raises(EdgeAIError, match=r"pip install 'edge_ai\[profile\]'"):
        PySpySampler().sample(1, 20)


def test_samplers_are_found_by_name():
    assert sampler_for().name == "in-process"
    assert {sampler_for(name).name for name in SAMPLERS.names()} == set(SAMPLERS.names())
    with pytest.raises(EdgeAIError, match="in-process, py-spy"):
        sampler_for("magic")
