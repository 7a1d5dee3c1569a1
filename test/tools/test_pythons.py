"""Interpreters of other versions, on PATH and in pyenv."""

import pytest


def fake_python(path, version):
    """A program that says it is a Python of some version; without one it fails, as a shim of pyenv's does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with no Python at all: an empty folder on PATH, an empty pyenv."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_version_is_read_and_another_refused():
    from installer.console import SetupError
    from installer.pythons import parse

    assert parse("3.10") == (3, 10)
    with pytest.raises(SetupError, match=r"Python '3\.9' is not one of 3\.10, 3\.11, 3\.12, 3\.13"):
        parse("3.9")


def test_one_that_is_nowhere_is_none(bare):
    from installer.pythons import find

    assert find((3, 10)) is None


def test_the_path_comes_before_pyenv_whose_shims_may_refuse(bare):
    from installer.pythons import find

    kept = fake_python(bare / "pyenv" / "versions" / "3.10.13" / "bin" / "python3.10", "3.10")
    fake_python(bare / "bin" / "python3.10", "")
    assert find((3, 10)) == kept
    there = fake_python(bare / "bin" / "python3.10", "3.10")
    assert find((3, 10)) == there
