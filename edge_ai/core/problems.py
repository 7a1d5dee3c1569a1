"""What is wrong with a file that people write, in their words and by its keys."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError


def problems(error: ValidationError) -> Iterator[str]:
    """Each thing that is wrong, by the path of its key: "unknown key 'steps.0.whem'", "no 'name'"."""
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            yield f"unknown key '{where}'"
        elif problem["type"] == "missing":
            yield f"no '{where}'"
        else:
            text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            value = problem["input"]
            got = f" = {value!r}" if not isinstance(value, dict) else ""
            yield f"'{where or 'all'}'{got}: {text}"
