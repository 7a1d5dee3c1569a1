import json

from benchmarks import machine


def test_the_machine_is_described_in_json():
    facts = json.loads(json.dumps(machine.describe()))
    assert {"cpu", "cores", "memory_gib", "kernel", "python", "libraries", "load_before"} <= set(facts)
    assert facts["cores"] >= 1
    assert facts["memory_gib"] > 0
    assert len(facts["load_before"]) == 3
    assert facts["libraries"]["numpy"]
