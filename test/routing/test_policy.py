import logging
import sys

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.routing.decision import Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policy import load_policy, policy_names

MODULE = """
from edge_ai.routing.decision import Decision, Where

class Skipping:
    def decide(self, snapshot, params):
        return Decision(Where.SKIP, (f"{snapshot.width} px are nothing to look at",))

    def second_opinion(self, snapshot, params, result):
        return None

class Torn:
    def __init__(self):
        raise OSError("its table is missing")

class Half:
    def decide(self, snapshot, params):
        ...
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package, its files laid out as an installer does it, that registers policies."""

    def install(name, entries):
        (tmp_path / f"{name}.py").write_text(MODULE)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "\n".join(f"{key} = {value}" for key, value in entries.items())
        (info / "entry_points.txt").write_text(f"[edge_ai.routing_policies]\n{lines}\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    yield install
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_the_policies_that_come_along_load_and_decide():
    for name in ("rules", "adaptive", "cost"):
        assert name in policy_names()
        assert load_policy(name).decide(Snapshot(), RouterParams()).where is Where.EDGE


def test_an_unknown_policy_is_refused_with_those_that_are_known():
    with pytest.raises(ParameterError, match=r"'chance'.*rules, adaptive, cost"):
        load_policy("chance")


def test_a_package_brings_a_policy(package):
    package("robot_policies", {"skipping": "robot_policies:Skipping"})
    assert "skipping" in policy_names()
    decision = load_policy("skipping").decide(Snapshot(width=7), RouterParams())
    assert decision.words == "skip: 7 px are nothing to look at"


def test_names_are_known_without_importing_a_package(package):
    package("lazy_policies", {"lazy": "lazy_policies:Skipping"})
    assert "lazy" in policy_names()
    assert "lazy_policies" not in sys.modules


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("broken_policies:Torn", "its table is missing"),
        ("broken_policies:Nothing", "Nothing"),
        ("no_such_module:Policy", "no_such_module"),
        ("broken_policies:Half", "no second_opinion"),
    ],
)
def test_a_broken_package_is_refused_with_a_warning_and_harms_no_other_policy(package, caplog, target, words):
    package("broken_policies", {"broken": target, "fine": "broken_policies:Skipping"})
    with caplog.at_level(logging.WARNING), pytest.raises(ParameterError, match=words):
        load_policy("broken")
    assert words in caplog.text
    assert load_policy("fine").decide(Snapshot(), RouterParams()).where is Where.SKIP
    assert load_policy("cost").decide(Snapshot(), RouterParams()).where is Where.EDGE


def test_a_package_cannot_replace_a_policy_that_comes_along(package, caplog):
    package("sly_policies", {"rules": "sly_policies:Skipping"})
    with caplog.at_level(logging.WARNING):
        assert policy_names().count("rules") == 1
        assert load_policy("rules").decide(Snapshot(), RouterParams()).where is Where.EDGE
    assert "sly_policies:Skipping" in caplog.text
