"""Which Python set-up runs with."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PRETEND = """
import runpy, sys
sys.version_info, sys.argv = (3, {minor}, 0, "final", 0), {argv!r}
runpy.run_path({path!r}, run_name="__main__")
"""


def fake_python(folder: Path, name: str, version: str) -> None:
    """A program that says it is a Python of some version, and otherwise what it was called with."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then echo {version}; else echo "ran $0 $*"; fi\n')
    program.chmod(0o755)


def run_as(minor: int, tree: Path, environment: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run bootstrap.py in an interpreter that believes itself to be Python 3.<minor>."""
    path = str(tree / "tools" / "bootstrap.py")
    code = PRETEND.format(minor=minor, argv=[path, *options], path=path)
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_a_python_that_the_wheels_do_not_cover_is_refused_naming_those_they_do(tree, plain_environment, tmp_path):
    (tmp_path / "empty").mkdir()
    for minor in (9, 14):
        done = run_as(minor, tree, {**plain_environment, "PATH": str(tmp_path / "empty")})
        assert done.returncode == 1
        assert f"Python 3.{minor}" in done.stderr
        assert "3.10, 3.11, 3.12, 3.13" in done.stderr
        assert "python3-venv" in done.stderr
        assert "Traceback" not in done.stderr


def test_it_goes_on_with_the_newest_supported_one_on_the_path(tree, plain_environment, tmp_path):
    fake_python(tmp_path / "bin", "python3.10", "3.10")
    fake_python(tmp_path / "bin", "python3.12", "3.12")
    fake_python(tmp_path / "bin", "python3.13", "2.7")  # a shim that is not what its name says
    done = run_as(9, tree, {**plain_environment, "PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin"}, "--with", "test")
    assert done.returncode == 0, done.stderr
    assert f"ran {tmp_path / 'bin' / 'python3.12'} {tree / 'tools' / 'bootstrap.py'} --with test" in done.stdout


def test_one_the_user_named_is_not_replaced(tree, plain_environment, tmp_path):
    fake_python(tmp_path / "bin", "python3.12", "3.12")
    environment = {**plain_environment, "PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin"}
    done = run_as(9, tree, environment, "--only-this-python")
    assert done.returncode == 1
    assert "3.10, 3.11, 3.12, 3.13" in done.stderr


def test_the_one_behind_the_virtual_environment_is_kept(tree, plain_environment, tmp_path):
    fake_python(tmp_path / "chosen", "python", "3.10")
    (tree / ".venv" / "bin").mkdir(parents=True)
    os.symlink(tmp_path / "chosen" / "python", tree / ".venv" / "bin" / "python")
    done = run_as(11, tree, plain_environment)
    assert f"ran {tmp_path / 'chosen' / 'python'}" in done.stdout
