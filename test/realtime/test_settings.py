"""Everything that concerns a whole process runs in a child of its own, privileged as we are or with nothing left."""

import json
import os
import subprocess
import sys

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.realtime.params import RealtimeParams
from edge_ai.realtime.process import prompt_threads
from edge_ai.realtime.settings import RealtimeSettings

linux = pytest.mark.skipif(sys.platform != "linux", reason="scheduling and memory locks of Linux")

PRELUDE = """
import ctypes, gc, json, mmap, os, resource, sys, threading
from edge_ai.core.errors import *
from edge_ai.realtime.settings import *
from edge_ai.realtime.memory_lock import MemoryLock
from edge_ai.realtime.params import *
from edge_ai.realtime import scheduling

def drop():
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    few = 64 * 1024 if hard == resource.RLIM_INFINITY else min(hard, 64 * 1024)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (few, few))
    if os.getuid() == 0:
        os.setgroups([]), os.setgid(65534), os.setuid(65534)

def ask(**values):
    settings = RealtimeSettings(RealtimeParams.parse(values))
    return settings, {o.setting: o.applied for o in settings.apply()}

def threads():
    return [int(t) for t in os.listdir("/proc/self/task")]

def locked_kb():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmLck")).split()[1])

def tell(**values):
    print(json.dumps(values))

stay = threading.Event()
old = threading.Thread(target=stay.wait, daemon=True)
old.start()
"""


def child(script, privileged=True):
    """What a script tells from a process of its own."""
    text = PRELUDE + ("" if privileged else "drop()\n") + script
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def need(told, name):
    if not told["applied"][name]:
        pytest.skip(f"{name} needs a privilege that this process lacks")


@pytest.fixture
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_threads_are_switched_sooner_than_by_default(interval):
    sys.setswitchinterval(0.005)
    prompt_threads()
    assert sys.getswitchinterval() < 0.001


def test_nothing_asked_for_is_nothing_done():
    loaded = []
    settings = RealtimeSettings(RealtimeParams())
    assert settings.apply(lambda: loaded.append(1)) == []
    assert loaded == [1]
    settings.undo()


def test_priority_and_spinning_are_refused_together():
    with pytest.raises(ParameterError, match="spinning to short or none, or priority to 0"):
        RealtimeSettings(RealtimeParams(priority=1), spinning=True)
    RealtimeSettings(RealtimeParams(), spinning=True)


@linux
def test_the_affinity_holds_before_loading_for_old_and_new_threads_until_undone():
    last = max(os.sched_getaffinity(0))
    told = child(f"""
before, at_load = sorted(os.sched_getaffinity(0)), []
settings = RealtimeSettings(RealtimeParams(cpu_affinity="{last}"))
applied = {{o.setting: o.applied for o in settings.apply(lambda: at_load.append(sorted(os.sched_getaffinity(0))))}}
new = threading.Thread(target=stay.wait, daemon=True)
new.start()
during = [sorted(os.sched_getaffinity(t)) for t in (old.native_id, new.native_id)]
settings.undo()
after = [sorted(os.sched_getaffinity(t)) for t in threads()]
tell(applied=applied, before=before, at_load=at_load, during=during, after=after)
""")
    assert told["applied"] == {"cpu_affinity": True}
    assert told["at_load"] == [[last]]
    assert told["during"] == [[last]] * 2
    assert told["after"] == [told["before"]] * 3


@linux
@pytest.mark.parametrize("some", ["", "0,"])
def test_a_cpu_that_is_not_there_changes_nothing_and_is_named(some):
    told = child(f"""
before = sorted(os.sched_getaffinity(0))
(outcome,) = RealtimeSettings(RealtimeParams(cpu_affinity="{some}4090")).apply()
tell(applied=outcome.applied, words=outcome.words, before=before, after=sorted(os.sched_getaffinity(0)))
""")
    assert not told["applied"]
    assert "4090; wanted some of those this process is given" in told["words"]
    assert told["after"] == told["before"]


@linux
def test_what_loading_raises_is_raised_and_nothing_is_left_applied():
    told = child("""
before, frozen = os.sched_getaffinity(0), gc.get_freeze_count()  # Python 3.12 is born with some
def load():
    raise ModelError("broken")
settings = RealtimeSettings(RealtimeParams(cpu_affinity=str(min(before)), gc="freeze"))
try:
    settings.apply(load)
except ModelError as error:
    tell(error=str(error), same=os.sched_getaffinity(0) == before, frozen=gc.get_freeze_count() - frozen)
""")
    assert told == {"error": "broken", "same": True, "frozen": 0}


@linux
def test_every_thread_gets_the_priority_and_those_started_later_until_undone():
    told = child("""
settings, applied = ask(priority=7)
new = threading.Thread(target=stay.wait, daemon=True)
new.start()
during = [(os.sched_getscheduler(t), os.sched_getparam(t).sched_priority) for t in threads()]
settings.undo()
after = [os.sched_getscheduler(t) for t in threads()]
tell(applied=applied, during=during, after=after, fifo=os.SCHED_FIFO, other=os.SCHED_OTHER)
""")
    need(told, "priority")
    assert told["during"] == [[told["fifo"], 7]] * 3
    assert told["after"] == [told["other"]] * 3


@linux
def test_a_thread_with_a_scheduling_of_its_own_keeps_it():
    told = child("""
os.sched_setscheduler(old.native_id, os.SCHED_BATCH, os.sched_param(0))
settings, applied = ask(priority=7)
tell(applied=applied, kept=os.sched_getscheduler(old.native_id) == os.SCHED_BATCH)
""")
    need(told, "priority")
    assert told["kept"]


@linux
def test_a_kernel_without_its_guard_is_not_trusted(tmp_path):
    (tmp_path / "sched_rt_runtime_us").write_text("-1\n")
    (tmp_path / "sched_rt_period_us").write_text("1000000\n")
    told = child(f"""
from pathlib import Path
scheduling._KERNEL = Path({str(tmp_path)!r})
(outcome,) = RealtimeSettings(RealtimeParams(priority=7)).apply()
tell(applied=outcome.applied, words=outcome.words, policy=os.sched_getscheduler(0))
""")
    assert not told["applied"]
    assert "sysctl kernel.sched_rt_runtime_us=950000" in told["words"]
    assert told["policy"] == os.SCHED_OTHER


@linux
def test_memory_used_later_is_locked_too_until_undone():
    told = child("""
settings, applied = ask(lock_memory=True)
limits = resource.getrlimit(resource.RLIMIT_MEMLOCK)
before, big = locked_kb(), mmap.mmap(-1, 8 << 20)
big[:] = bytes(8 << 20)
during = locked_kb()
settings.undo()
tell(applied=applied, before=before, during=during, after=locked_kb())
""")
    need(told, "lock_memory")
    assert told["before"] > 1000
    assert told["during"] >= told["before"] + 8 * 1024
    assert told["after"] == 0


@linux
def test_a_locked_process_holds_no_more_memory_than_it_uses():
    told = child("""
def resident_kb():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])
before = resident_kb()
settings, applied = ask(lock_memory=True)
reserve = mmap.mmap(-1, 256 << 20)
tell(applied=applied, grown=resident_kb() - before)
""")
    need(told, "lock_memory")
    assert told["grown"] < 64 * 1024


@linux
def test_without_privileges_each_is_named_with_its_remedy_and_the_rest_is_applied():
    told = child(
        """
before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
cpu = min(os.sched_getaffinity(0))
settings = RealtimeSettings(RealtimeParams(cpu_affinity=str(cpu), priority=7, lock_memory=True, gc="freeze"))
outcomes = {o.setting: (o.applied, o.words) for o in settings.apply()}
big = bytearray(32 << 20)  # far more than the memlock limit
new = threading.Thread(target=stay.wait, daemon=True)
new.start()
same = resource.getrlimit(resource.RLIMIT_MEMLOCK) == before
tell(outcomes=outcomes, locked=locked_kb(), policy=os.sched_getscheduler(0), size=len(big), same=same)
settings.undo()
""",
        privileged=False,
    )
    outcomes = told["outcomes"]
    assert {name: applied for name, (applied, _) in outcomes.items()} == {
        "cpu_affinity": True,
        "gc": True,
        "lock_memory": False,
        "priority": False,
    }
    assert "got Operation not permitted; wanted the privilege to take SCHED_FIFO 7. To mend" in outcomes["priority"][1]
    assert "a limit of 65536 bytes; wanted no limit" in outcomes["lock_memory"][1]
    assert (told["locked"], told["policy"], told["same"]) == (0, os.SCHED_OTHER, True)


@linux
def test_undo_may_come_twice_and_the_settings_again():
    told = child("""
settings = RealtimeSettings(RealtimeParams(cpu_affinity=str(min(os.sched_getaffinity(0))), gc="manual"))
before = sorted(os.sched_getaffinity(0))
for _ in range(3):
    assert all(o.applied for o in settings.apply())
    settings.undo()
    settings.undo()
tell(before=before, after=sorted(os.sched_getaffinity(0)), gc=gc.isenabled(), threads=threading.active_count())
""")
    assert told["after"] == told["before"]
    assert told["gc"]
    assert told["threads"] == 2
