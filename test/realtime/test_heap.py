import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="counts page faults: Unix only")

# Page faults while blocks of the size of an image come and go; each of them has 1500 pages.
PROGRAM = """
import resource, sys
from edge_ai.realtime.heap import keep_freed_memory

kept = keep_freed_memory() if "keep" in sys.argv else None

def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        blocks = [bytearray(6_000_000) for _ in range(4)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(3)
print(kept, faults(20))
"""


def run(*words):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    kept, faults = done.stdout.split()
    return kept, int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_the_memory_of_one_image_serves_the_next():
    kept, faults = run("keep")
    if kept != "True":
        pytest.skip("this C library has no mallopt")
    assert faults < 1500, "the pages of less than one of 80 blocks"
    assert run()[1] > 20 * 1500, "without it the kernel is asked again and again: else this test shows nothing"


@pytest.mark.skipif(sys.platform == "linux", reason="what other systems answer")
def test_elsewhere_it_does_nothing():
    from edge_ai.realtime.heap import keep_freed_memory

    assert keep_freed_memory() is False
