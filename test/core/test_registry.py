import collections

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.registry import Registry


def test_a_part_is_loaded_by_name():
    table = Registry("container", {"ordered": "collections:OrderedDict"})
    assert table.load("ordered") is collections.OrderedDict


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(EdgeAIError, match=r"unknown container: got 'heap'; wanted one of ordered, deque"):
        Registry("container", {"ordered": "collections:OrderedDict", "deque": "collections:deque"}).load("heap")


def test_parts_can_be_added_but_not_replaced():
    table = Registry("container", {})
    table.register("deque", "collections:deque")
    assert table.names() == ("deque",)
    with pytest.raises(EdgeAIError, match="registered already"):
        table.register("deque", "collections:OrderedDict")


def test_nothing_is_imported_before_it_is_asked_for():
    table = Registry("container", {"broken": "no.such.module:Thing"})
    assert table.names() == ("broken",)
    with pytest.raises(ImportError):
        table.load("broken")
