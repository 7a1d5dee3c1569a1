"""The tests that need PyTorch: where they run, and what comes back."""

import sys


def test_no_ros_leaks_into_it(monkeypatch, root):
    import torch_tests

    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/humble")
    variables = torch_tests.variables()
    assert variables["PYTHONPATH"] == str(root)
    assert "AMENT_PREFIX_PATH" not in variables


def test_it_has_an_environment_of_its_own_and_gives_the_status_of_the_tests(monkeypatch, root, capsys):
    import torch_tests

    made = []
    monkeypatch.setattr(torch_tests.requirements, "read", lambda path, groups: list(groups))
    monkeypatch.setattr(torch_tests.beside, "make", lambda *arguments: made.append(arguments) or sys.executable)
    monkeypatch.setattr(torch_tests, "command", lambda python, more: [python, "-c", "raise SystemExit(5)"])
    assert torch_tests.main([]) == 5
    assert made == [(sys.executable, root / "out" / "torch", ["core", "test", "torch"])]
    assert "PyTorch: FAILED" in capsys.readouterr().out


def test_the_tests_are_there(root):
    import torch_tests

    words = torch_tests.command(root / "python", ["-k", "zeros"])
    assert words[-3:] == ["-k", "zeros", "test/torch"]
    assert list((root / words[-1]).glob("test_*.py"))


def test_a_set_up_that_fails_is_told(monkeypatch, capsys):
    import torch_tests

    def fail(path, groups):
        raise torch_tests.SetupError("no such group")

    monkeypatch.setattr(torch_tests.requirements, "read", fail)
    assert torch_tests.main([]) == 1
    assert "torch_tests.py: no such group" in capsys.readouterr().err
