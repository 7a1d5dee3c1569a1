import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("colours", Path(__file__).with_name("colours.py"))
colours = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(colours)


@pytest.fixture(scope="session")
def colour_data(tmp_path_factory):
    """A small real classifier: paths of its card, of thirty pictures and of their labels."""
    return colours.make(tmp_path_factory.mktemp("colours"))
