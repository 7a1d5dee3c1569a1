"""A rollout's journal as it is kept and as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_ai.deployment.canary.evaluation import Figure, Figures
from edge_ai.deployment.canary.state import State
from edge_ai.deployment.journal import Entry, Journal


class Log:
    """Writes a journal, keeps what it adds up to, and says each entry to people.

    Args:
        journal: opened.
        say: takes a line.

    Attributes:
        state: what the journal adds up to.
    """

    def __init__(self, journal: Journal, say: Callable[[str], None]) -> None:
        self._journal, self._say = journal, say
        self.state = State.of(journal.entries)

    def write(self, step: str, **facts: Any) -> None:
        """Add an entry; it is on the disk when this returns.

        Raises:
            DeploymentError: as for `Journal.write`.
        """
        entry = self._journal.write(step, **facts)
        self.state.add(entry)
        self._say(line(entry))


def line(entry: Entry) -> str:
    """An entry in words."""
    facts = entry.facts
    robots = facts.get("robot") or ", ".join(facts.get("robots", ()))
    words = [f"{entry.at[:19].replace('T', ' ')}  {entry.step}"]
    if "stage" in facts:
        words[0] += f" {facts['stage'] + 1}"
    words += [str(word) for word in (robots, facts.get("reason")) if word]
    return ": ".join(words)


def read_entries(path: Path) -> list[Entry]:
    """As `Journal.read`: all entries of one that somebody else may be writing."""
    return list(Journal(path).read())


def page(entries: Iterable[Entry]) -> Iterator[str]:
    """All that was done and decided, with the figures of each evaluation."""
    for entry in entries:
        yield line(entry)
        if entry.step == "evaluated":
            yield from figures_of(entry.facts["canary"], entry.facts["stable"])


def figures_of(canary: Figures, stable: Figures) -> Iterator[str]:
    """A line for each criterion."""
    groups = {"canary": canary, "stable": stable}
    for criterion in dict.fromkeys([*canary, *stable]):
        told = [f"{name} {_summed_up(found[criterion])}" for name, found in groups.items() if found.get(criterion)]
        yield f"{'':21}{criterion}: {', '.join(told) or 'nothing'}"


def _summed_up(figures: Mapping[str, Figure]) -> str:
    """The greatest value of a group; of counts, all together."""
    values = list(figures.values())
    if len(values[0]) == 1:
        return f"at most {max(value[0] for value in values):.4g}"
    return f"{sum(v[0] for v in values):.4g} of {sum(v[1] for v in values):.6g}"
