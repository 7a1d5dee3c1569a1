from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.options import BackendOptions, physical_cores


def test_has_no_defaults_of_its_own():
    given = {name for name, field in BackendOptions.model_fields.items() if not field.is_required()}
    assert given == {"engine", "shapes"}
    assert BackendOptions.model_fields["engine"].default == EngineParams()


def test_is_frozen(make_options):
    with pytest.raises(ValidationError):
        make_options().threads = 3


def test_threads(make_options):
    assert make_options(threads=3).thread_count == 3
    assert make_options(threads=0).thread_count == physical_cores()


def test_physical_cores():
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no CPU affinity on this system")
def test_physical_cores_heed_the_affinity():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert physical_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
