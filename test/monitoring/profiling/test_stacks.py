import pytest

from edge_ai.monitoring.profiling.stacks import NATIVE, Stacks

WEIGHTS = {
    ("camera", "read (a.py:1)", "copy (b.py:2)"): 0.5,
    ("infer", "run (c.py:3)", "copy (b.py:2)"): 0.25,
    ("infer", "run (c.py:3)"): 1.0,
    ("of libraries", NATIVE): 2.0,
}


def test_a_function_costs_what_it_takes_itself_over_all_threads():
    stacks = Stacks(4.0, WEIGHTS, 200, "some")
    assert stacks.busy == pytest.approx(3.75)
    assert stacks.costs() == {"copy (b.py:2)": 0.75, "run (c.py:3)": 1.0, "native threads of libraries": 2.0}


def test_folded_lines_are_those_of_other_tools_even_where_a_name_has_their_separator():
    weights = {("thread; one", "f (a.py:1)"): 0.000_002, ("b", "g (a.py:1)"): 1.5}
    assert Stacks(1.0, weights, 1, "some").folded() == "b;g (a.py:1) 1500000\nthread: one;f (a.py:1) 2\n"
