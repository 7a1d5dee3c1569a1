import json
import subprocess
import sys

from benchmarks import machine


def test_the_machine_is_described_in_json():
    facts = json.loads(json.dumps(machine.describe()))
    assert {"cpu", "cores", "memory_gib", "kernel", "python", "libraries", "load_before"} <= set(facts)
    assert facts["cores"] >= 1
    assert facts["memory_gib"] > 0
    assert len(facts["load_before"]) == 3
    assert facts["libraries"]["numpy"]


BURN = """
import sys, time
while time.process_time() < 0.3:
    pass
print("done", flush=True)
sys.stdin.read()
"""


def test_what_our_children_use_counts_as_ours():
    before = machine.own_seconds()
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"done\n"
        assert machine.own_seconds() - before >= 0.25
        child.stdin.close()


def test_the_neighbours_are_never_less_than_idle():
    assert machine.Neighbours().cores() >= 0
