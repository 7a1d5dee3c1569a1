"""Run pip and colcon: their output to a log, a sign of life to the terminal, their tail where they fail."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from installer.console import SetupError, Step

TAIL = 25  # lines
# Another ROS, or the environment of whoever called us, must not leak into what we install and build. The wheels'
# bootstrapper sets a guard and a library path once; a child that got only one of them finds no libraries.
FOREIGN = re.compile(
    r"PYTHON(PATH|HOME|STARTUP)|AMENT_.*|CMAKE_PREFIX_PATH|COLCON_.*|ROS_.*|RMW_.*|LD_LIBRARY_PATH|VIRTUAL_ENV"
    r"|_ROS_WHEELS_.*|PIP_(USER|TARGET|PREFIX|ROOT|REQUIRE_VIRTUALENV)|FAST(RTPS|DDS)_.*|MAKEFLAGS|MAKELEVEL|MFLAGS"
)
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|Connection refused|Temporary failure in name resolution|ProxyError"
    r"|Name or service not known|Network is unreachable|No route to host|ReadTimeoutError|SSLError|Could not fetch URL"
    r"|\(from versions: none\)"
)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment less what belongs to another ROS or virtual environment, plus some values."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    libraries = os.pathsep.join(_own_libraries())
    return {**kept, **({"LD_LIBRARY_PATH": libraries} if libraries else {}), **extra}


def _own_libraries() -> list[str]:
    """The library folders of the user's own, without those of a sourced ROS and of a virtual environment."""
    others = [f"{entry}/" for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
    others += [f"{sys.prefix}/"] if sys.prefix != sys.base_prefix else []
    foreign = (*others, "/opt/ros/")
    wheels = re.compile(r".*/site-packages/ros_[^/]*\.libs")
    folders = [entry for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry]
    return [entry for entry in folders if not entry.startswith(foreign) and not wheels.fullmatch(entry)]


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    step: Step,
    state: Callable[[str], str],
) -> None:
    """Run a command to its end.

    Args:
        command: program and arguments.
        log: file that its output is appended to.
        env: its whole environment.
        cwd: where it runs.
        step: told that it lives.
        state: from the output so far to a word on how far it is.

    Raises:
        SetupError: it failed; holds the end of its output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        out.flush()
        start = out.tell()
        child = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    status = child.wait(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    step.tell(state(_since(log, start)))
        except BaseException:
            _end(child)
            raise
    if status != 0:
        raise failed(_since(log, start), log, step.label)


def failed(output: str, log: Path, what: str) -> SetupError:
    """What to tell the user about the output of a command that failed."""
    lines = [line for line in output.splitlines() if line.strip()][-TAIL:]
    tail = "\n".join("    " + line[:200] for line in lines)
    reason = f"{what.strip()} failed"
    if UNREACHABLE.search(tail):
        reason = (
            "pip cannot reach its package index, or finds it empty. Mend the network or the proxy (HTTPS_PROXY), "
            "or name another index (PIP_INDEX_URL), and run again"
        )
    elif "No space left on device" in output:
        reason = "the disk is full; set-up needs about 1.5 GB"
    return SetupError(f"{reason}.\nThe end of {log}:\n{tail}")


def _since(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
            child.wait(timeout=5)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
