"""The pure tests on other Pythons: which tests, in which environment, and what is said where a Python is missing."""

import sys

import pytest


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """A machine without other Pythons."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))


def test_a_python_that_is_not_here_is_named_and_passed_over(nothing_here, capsys):
    import core_tests

    assert core_tests.main(["3.10", "3.12"]) == 0
    said = sorted(capsys.readouterr().out.splitlines())  # both are looked for at the same time
    assert [line[:20] for line in said] == ["Python 3.10: SKIPPED", "Python 3.12: SKIPPED"]


def test_an_unknown_python_is_refused(capsys):
    import core_tests

    assert core_tests.main(["2.7"]) == 1
    assert "Python '2.7' is not one of 3.10, 3.11" in capsys.readouterr().err


def test_folders_that_are_left_out_are_there(root):
    import core_tests

    assert [name for name in (*core_tests.ELSEWHERE, *core_tests.SLOW) if not (root / "test" / name).exists()] == []


def test_no_ros_leaks_into_it(monkeypatch, root):
    import core_tests

    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/humble")
    monkeypatch.setenv("PYTHONPATH", "/opt/ros/humble/lib")
    variables = core_tests.variables()
    assert variables["PYTHONPATH"] == str(root)
    assert "AMENT_PREFIX_PATH" not in variables


@pytest.fixture
def machine(monkeypatch):
    """A machine where every Python is this one."""
    import core_tests

    monkeypatch.setattr(core_tests.pythons, "find", lambda version: sys.executable)
    monkeypatch.setattr(core_tests.beside, "make", lambda program, folder, lines: program)


def test_the_status_is_that_of_the_tests(machine, monkeypatch, capsys):
    import core_tests

    monkeypatch.setattr(core_tests, "command", lambda python: [python, "-c", "raise SystemExit(1)"])
    assert core_tests.main(["3.10"]) == 1
    assert "Python 3.10: FAILED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("second", "status", "said"), [(0, 0, "passed, but not all"), (1, 1, "FAILED"), (5, 1, "FAILED")]
)
def test_what_failed_may_try_again_by_itself(machine, monkeypatch, capsys, second, status, said):
    import core_tests

    tests = (
        f"import sys; again = '--last-failed' in sys.argv; print('again', again); sys.exit({second} if again else 1)"
    )
    monkeypatch.setattr(core_tests, "command", lambda python: [python, "-c", tests])
    assert core_tests.main(["3.12"]) == status
    out = capsys.readouterr().out
    assert "again False" in out
    assert "again True" in out
    assert f"Python 3.12: {said}" in out


@pytest.mark.parametrize("status", [2, 3, -11])
def test_what_breaks_off_has_failed_at_once(machine, monkeypatch, capsys, status):
    import core_tests

    ended = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)" if status < 0 else f"raise SystemExit({status})"
    monkeypatch.setattr(core_tests, "command", lambda python: [python, "-c", f"print('once', flush=True); {ended}"])
    assert core_tests.main(["3.12"]) == 1
    out = capsys.readouterr().out
    assert out.count("once") == 1
    assert "Python 3.12: FAILED" in out
