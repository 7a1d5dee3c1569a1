"""A Jetson's processor on a PC, emulated: the tests of the pure core, and the shipped model beside this machine's.

Everything lies in out/aarch64/; nothing is installed, mounted or registered, and root is not needed. Where it cannot
run it says SKIPPED and why, and ends with status 0.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from debs import AptError
from demo_video import NoVideoError, demo_source
from emulation.compare import compare
from emulation.root import Root
from installer import requirements
from installer.console import SetupError, Step, say
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "aarch64"
GROUPS = (requirements.CORE, "test")
# What ends in minutes at a tenth of the speed and waits for no deadline.
TESTS = ("core", "platforms", "processing", "backends", "control")
FRAMES = (100, 400, 700)  # of vtest.avi; one takes some seconds under the emulator


def main() -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="aarch64.py", description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="folders of test/ to run (%(default)s)")
    options = parser.parse_args()
    try:
        return run_all(options.tests)
    except KeyboardInterrupt:
        say("interrupted; the next run goes on safely", file=sys.stderr)
        return 130


def run_all(folders: Sequence[str]) -> int:
    """Make what is needed and run the tests and the model; the exit status."""
    if reason := unfit(platform.system(), platform.machine()):
        say(f"SKIPPED: {reason}")
        return 0
    root = Root(OUT / "root")
    try:
        root.make(requirements.read(ROOT / "setup.cfg", GROUPS))
    except AptError as error:
        say(f"SKIPPED: no arm64 packages here, for want of a network or of a source that has them; {error}")
        return 0
    except SetupError as error:
        say(f"FAILED: {error}")
        return 1
    return max(run_tests(root, folders), run_model(root))


def unfit(system: str, machine: str) -> str:
    """Why a machine cannot or need not emulate; empty if it can."""
    if system != "Linux":
        return f"qemu's user mode runs on Linux; this is {system}"
    if machine in ("aarch64", "arm64"):
        return "this machine's own processor is aarch64: make test is the test"
    return ""


def run_tests(root: Root, folders: Sequence[str]) -> int:
    """Run some tests under the emulator; 1 where one fails."""
    start = time.monotonic()
    found = [f"test/{name}" for name in folders if any((ROOT / "test" / name).rglob("test_*.py"))]
    command = [root.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *found]
    status = subprocess.run(command, cwd=ROOT, env=variables(), check=False).returncode
    say(f"tests on aarch64: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - start:.0f} s")
    return int(status != 0)


def run_model(root: Root) -> int:
    """Show the same pictures to the model here and under the emulator; 1 where it sees something else."""
    try:
        pictures = frames(OUT / "frames")
        here, there = (look(python, pictures) for python in (Path(sys.executable), root.python))
    except (NoVideoError, SetupError) as error:
        say(f"the model on aarch64: FAILED, {error}")
        return 1
    agreement = compare(here["frames"], there["frames"], here["threshold"])
    for side in (here, there):
        say(f"{side['machine']}, Python {side['python']}, {side['backend']}: {side['seconds']:.2f} s a frame")
    for fault in agreement.faults:
        say(f"  {fault}")
    if not agreement.objects:
        say("  no object was seen on both")
    failed = bool(agreement.faults) or not agreement.objects
    say(f"the model on aarch64: {'FAILED' if failed else 'the same'}, {agreement}")
    return int(failed)


def frames(folder: Path) -> list[Path]:
    """Some pictures of the demo's video, as PNG, which every processor decodes to the same numbers.

    Raises:
        NoVideoError: it can be had from nowhere.
        SetupError: it is too short.
    """
    wanted = [folder / f"{number}.png" for number in FRAMES]
    if all(path.is_file() for path in wanted):
        return wanted
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoCapture(demo_source(ROOT / "out" / "data", say))
    for path in wanted:
        video.set(cv2.CAP_PROP_POS_FRAMES, int(path.stem))
        read, image = video.read()
        if not read:
            raise SetupError(f"the demo's video has no frame {path.stem}")
        cv2.imwrite(str(path), image)
    return wanted


def look(python: Path, pictures: Sequence[Path]) -> dict[str, Any]:
    """What the shipped model sees in pictures, run by some Python.

    Raises:
        SetupError: it failed.
    """
    step = Step(f"      {len(pictures)} pictures with {os.path.relpath(python, ROOT)}")
    command = [python, ROOT / "tools" / "emulation" / "detect.py", *pictures]
    done = subprocess.run(command, cwd=ROOT, env=variables(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{python.name} ended with status {done.returncode}, see above")
    step.done()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def variables() -> dict[str, str]:
    """A shell's variables without ROS, in which the source tree is the package."""
    return clean_environment({"PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    sys.exit(main())
