"""An emulated Python in a folder: the links it needs, the program that starts it, the wheels that run on it."""

import os
import subprocess

import pytest


def test_pip_is_asked_for_wheels_that_the_c_library_allows():
    from emulation.root import platforms

    words = platforms(19)
    assert words[::2] == ["--platform"] * 4
    assert words[1::2] == [f"manylinux_2_{minor}_aarch64" for minor in (19, 18, 17)] + ["manylinux2014_aarch64"]


def test_packages_find_the_folders_of_a_merged_usr(tmp_path):
    from emulation.root import prepare

    prepare(tmp_path)
    (tmp_path / "lib" / "libc.so.6").write_text("")
    assert (tmp_path / "usr" / "lib" / "libc.so.6").is_file()


def test_the_version_is_read_from_the_packages(tmp_path):
    from debs import AptError
    from emulation.root import python_version

    programs = tmp_path / "usr" / "bin"
    programs.mkdir(parents=True)
    with pytest.raises(AptError, match="brought no Python"):
        python_version(tmp_path)
    for name in ("python3", "python3.11", "python3.11-config"):
        (programs / name).write_text("")
    assert python_version(tmp_path) == "3.11"


def test_the_emulator_is_found_under_either_name(tmp_path):
    from debs import AptError
    from emulation.root import find_emulator

    with pytest.raises(AptError, match="brought no qemu-aarch64"):
        find_emulator(tmp_path)
    for name in ("qemu-aarch64", "qemu-aarch64-static"):
        (tmp_path / name).write_text("")
        assert find_emulator(tmp_path).name == name


def test_the_processor_described_is_an_arm(tmp_path):
    from emulation.root import describe_processor

    describe_processor(tmp_path / "proc")
    lines = (tmp_path / "proc" / "cpuinfo").read_text().splitlines()
    assert "CPU implementer\t: 0x41" in lines
    assert sum(line.startswith("processor") for line in lines) == os.cpu_count()


def test_the_program_hands_on_its_own_name_and_all_words(tmp_path):
    from emulation.root import CORE, program

    emulator = tmp_path / "a folder" / "emulator"
    emulator.parent.mkdir()
    emulator.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    emulator.chmod(0o755)
    script = tmp_path / "python"
    script.write_text(program(emulator, tmp_path, "3.11"))
    script.chmod(0o755)
    done = subprocess.run([script, "-c", "a b"], capture_output=True, text=True, check=True)
    python = str(tmp_path / "usr" / "bin" / "python3.11")
    assert done.stdout.splitlines() == ["-cpu", CORE, "-L", str(tmp_path), "-0", str(script), python, "-c", "a b"]
