import itertools
import math
import threading

from edge_ai.monitoring.load import LoadSampler
from edge_ai.monitoring.probes.sysfs import SysfsProbe
from edge_ai.monitoring.probes.system import SystemProbe


def sample(**options):
    got, heard = [], threading.Event()

    def told(*load):
        got.append(load)
        if len(got) > 2:
            heard.set()

    sampler = LoadSampler(told, 0.05, **options)
    sampler.start()
    sampler.start()
    assert heard.wait(20)
    sampler.stop()
    count = len(got)
    sampler.stop()
    assert len(got) == count
    return got[-1]


def test_it_tells_what_this_machine_can_say():
    cpu, gpu, memory, temperature = sample()
    assert 0 <= cpu <= 1
    assert math.isnan(gpu) or 0 <= gpu <= 1
    assert 0 < memory < 1
    assert math.isnan(temperature) or -50 < temperature < 150


def test_the_load_of_a_jetson(orin_nano):
    cpu, gpu, _, temperature = sample(probes=[SysfsProbe(orin_nano)])
    assert gpu == 0.437
    assert temperature == 51.7
    assert math.isnan(cpu)


def test_a_machine_without_sensors():
    _, gpu, memory, temperature = sample(probes=[SystemProbe()])
    assert memory > 0
    assert math.isnan(gpu)
    assert math.isnan(temperature)


def test_loads_are_smoothed():
    class Steps:
        name, values = "steps", iter([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0])

        def open(self):
            pass

        def read(self):
            return {"cpu": next(self.values, 1.0)}

        def texts(self):
            return {}

        def close(self):
            pass

    told, seen = [], threading.Event()

    def heard(cpu, *_):
        told.append(cpu)
        if len(told) == 3:
            seen.set()

    sampler = LoadSampler(heard, 0.05, probes=[Steps()])
    sampler.start()
    assert seen.wait(20)
    sampler.stop()
    assert told[0] == 0
    assert all(0 <= before <= after < 1 for before, after in itertools.pairwise(told))


def test_who_is_told_may_fail():
    again = threading.Semaphore(0)

    def told(*_):
        again.release()
        raise RuntimeError("not now")

    sampler = LoadSampler(told, 0.02, probes=[SystemProbe()])
    sampler.start()
    assert all(again.acquire(timeout=20) for _ in range(2))
    sampler.stop()
