import math
import threading

import psutil

from edge_ai.monitoring.load import LoadSampler, hottest


def sample(**options):
    got, heard = [], threading.Event()

    def told(*load):
        got.append(load)
        heard.set()

    sampler = LoadSampler(told, 0.01, **options)
    sampler.start()
    assert heard.wait(10)
    sampler.stop()
    count = len(got)
    sampler.stop()
    assert len(got) == count
    return got[0]


def test_it_tells_what_this_machine_can_say():
    cpu, gpu, memory, temperature = sample(gpu_files=())
    assert 0 <= cpu <= 1
    assert math.isnan(gpu)
    assert 0 < memory < 1
    assert math.isnan(temperature) or -50 < temperature < 150


def test_the_first_sample_counts_from_the_start_though_each_thread_has_one_of_its_own(monkeypatch):
    seen = threading.local()

    def percent():
        before, seen.before = getattr(seen, "before", False), True
        return 50.0 if before else 0.0

    monkeypatch.setattr(psutil, "cpu_percent", percent)
    assert sample(gpu_files=())[0] == 0.5


def test_the_gpu_load_of_a_jetson_is_in_per_mille(tmp_path):
    (tmp_path / "load").write_text("437\n")
    assert sample(gpu_files=(str(tmp_path / "none"), str(tmp_path / "load")))[1] == 0.437
    (tmp_path / "load").write_text("nonsense")
    assert math.isnan(sample(gpu_files=(str(tmp_path / "load"),))[1])


def test_a_machine_without_sensors(monkeypatch):
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    assert math.isnan(hottest())
