#!/usr/bin/env python3
"""Build the image for a PC and show that the robot works in it, with nothing but apt: python tools/containers.py

Where Docker answers on this machine, it is used. Else root starts one of Debian's packages (tools/programs.py),
whose images lie in out/containers/; it changes nothing of this machine's and ends with this program.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence

from container_engine.base import IMAGE, ensure_base
from container_engine.checks import examine
from container_engine.engine import Engine, unfit
from container_engine.robot import DOCKER, ContainerRobot
from debs import AptError
from demo_video import NoVideoError, demo_source
from installer.console import SetupError, say

ROOT = DOCKER.parent
OUT = ROOT / "out" / "containers"
ROBOT = "edge_ai/robot:pc"
LABEL = "edge_ai.sources"
SOURCES = (
    "edge_ai",
    "docker",
    "msg",
    "srv",
    "launch",
    "config",
    "models",
    "tools/installer",
    "setup.cfg",
    "CMakeLists.txt",
)
SYNTHETIC = "synthetic://640x480@15"


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status, 0 also where no engine can run."""
    parser = argparse.ArgumentParser(prog="containers.py", description=str(__doc__).split("\n\n")[0])
    parser.add_argument("what", nargs="?", choices=("all", "build", "check"), default="all")
    options = parser.parse_args(arguments)
    if reason := unfit():
        say(f"SKIPPED: {reason}")
        return 0
    try:
        with Engine(OUT) as engine:
            if options.what != "check":
                build(engine)
            return 0 if options.what == "build" else check(engine)
    except AptError as error:
        say(f"SKIPPED: Docker cannot be brought here; {error}")
        return 0
    except SetupError as error:
        say(f"FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def build(engine: Engine) -> None:
    """Build the image; quick where nothing has changed.

    Raises:
        SetupError: it cannot be built.
    """
    ensure_base(engine)
    network = ["--network=host"] if engine.ours else []
    arguments = ["--build-arg", f"BASE={IMAGE}", "--label", f"{LABEL}={sources()}", "--tag", ROBOT]
    engine.show("build", *network, "--file", DOCKER / "pc.Dockerfile", *arguments, ROOT)


def sources() -> str:
    """A hash of what goes into the image, which its label holds."""
    files = [
        path for name in SOURCES for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
    ]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def built(engine: Engine) -> bool:
    """Whether there is an image of today's sources."""
    if not engine.has_image(ROBOT):
        return False
    label = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    return engine.docker("image", "inspect", "--format", label, ROBOT).strip() == sources()


def check(engine: Engine) -> int:
    """Run the robot and examine it; 1 where something is not as it has to be.

    Raises:
        SetupError: there is no image, or it does not come up.
    """
    if not built(engine):
        raise SetupError(f"there is no image {ROBOT} of today's sources: python tools/containers.py build")
    with ContainerRobot(engine, OUT / "config", ROBOT, video()) as robot:
        findings = examine(robot)
    size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", ROBOT))
    for finding in findings:
        say(f"  {'ok' if finding.passed else 'FAILED':<7}{finding.what:<36}{finding.seen}")
    failed = sum(not finding.passed for finding in findings)
    say(f"{ROBOT}, {size / 1e9:.2f} GB: {len(findings) - failed} passed, {failed} failed")
    return int(failed > 0)


def video() -> str:
    """What the robot sees: the demo's video where it can be had, else made pictures."""
    try:
        return demo_source(ROOT / "out" / "data", lambda _: None)
    except NoVideoError as error:
        say(f"      made pictures instead of the demo's video: {error}")
        return SYNTHETIC


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
