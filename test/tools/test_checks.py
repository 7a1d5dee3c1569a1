"""What is refused before anything is installed, and which package each refusal names."""

import subprocess
import sys

import pytest


def test_machines_without_wheels_are_sent_to_apt_or_a_container():
    from installer.checks import check_platform
    from installer.console import SetupError

    check_platform("Linux", "x86_64", ("glibc", "2.36"))
    for system, machine in (("Linux", "aarch64"), ("Darwin", "arm64")):
        with pytest.raises(SetupError, match=f"x86-64 Linux only; this is {machine}.*apt or a container"):
            check_platform(system, machine, ("glibc", "2.36"))


@pytest.mark.parametrize("libc", [("", ""), ("glibc", "2.27")])
def test_a_c_library_older_than_the_wheels_is_refused(libc):
    from installer.checks import check_platform
    from installer.console import SetupError

    with pytest.raises(SetupError, match=r"need glibc 2\.28 or newer"):
        check_platform("Linux", "x86_64", libc)


@pytest.mark.parametrize(
    ("present", "what", "package"),
    [
        ((), "C compiler", "build-essential"),
        (("gcc",), r"C\+\+ compiler", r"gcc-c\+\+"),
        (("gcc", "g++"), "make", "make"),
    ],
)
def test_a_missing_compiler_is_named_with_its_package(tmp_path, monkeypatch, present, what, package):
    from installer.checks import check_compilers
    from installer.console import SetupError

    for variable in ("CC", "CXX", "MAKE"):
        monkeypatch.delenv(variable, raising=False)
    for name in present:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(SetupError, match=f"no {what} .*Install .*{package}"):
        check_compilers(str(tmp_path))


def test_missing_headers_are_named_with_their_package(tmp_path):
    from installer.checks import check_headers
    from installer.console import SetupError

    with pytest.raises(SetupError, match=r"Python\.h.*python3-dev .*python3-devel"):
        check_headers(tmp_path)
    (tmp_path / "Python.h").write_text("")
    check_headers(tmp_path)


def test_a_sourced_ros_is_noticed(tmp_path, monkeypatch):
    from installer.checks import sourced_ros

    monkeypatch.setenv("ROS_DISTRO", "humble")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert sourced_ros() is None
    (tmp_path / "rclpy").mkdir()
    assert sourced_ros() == "humble"


def test_without_a_compiler_nothing_is_made(tree, plain_environment, tmp_path):
    (tmp_path / "empty").mkdir()
    environment = {**plain_environment, "PATH": str(tmp_path / "empty")}
    for variable in ("CC", "CXX"):
        environment.pop(variable, None)
    command = [sys.executable, tree / "tools" / "bootstrap.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no C compiler (cc, gcc, clang) on PATH" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tree / ".venv").exists()
