"""Names asked of a module that is loaded at run time, written down for mypy."""

SOURCE = """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorrt as trt


def f(module, job):
    severity = module.ILogger.Severity.ERROR
    return job.module.Runtime(severity), job.module.Runtime, severity.name, optional(module, "OLD")
"""


def test_names_behind_the_module_are_collected_with_their_place():
    from vendor.loaded import CANARY, Name, names

    found = names({"a.py": SOURCE})
    assert found[-1].path == CANARY
    assert set(found[:-1]) == {
        Name("a.py", 9, "ILogger"),
        Name("a.py", 9, "ILogger.Severity"),
        Name("a.py", 9, "ILogger.Severity.ERROR"),
        Name("a.py", 10, "Runtime"),
    }


def test_files_that_do_not_know_the_package_are_left_alone():
    from vendor.loaded import names

    assert len(names({"a.py": "import other\n\nother.module.Thing"})) == 1


def test_a_line_of_the_program_leads_back_to_who_asks():
    from vendor.loaded import asked_in, names, program

    asked = names({"a.py": SOURCE})
    lines = program(asked).splitlines()
    assert lines[0] == "import tensorrt"
    for number, line in enumerate(lines[1:], start=2):
        assert line == f"tensorrt.{asked_in(number, asked).path}"
