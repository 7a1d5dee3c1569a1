#!/usr/bin/env python3
"""Programs from Debian's packages that tests use for real, unpacked into out/programs, nothing installed.

python3 tools/programs.py [NAME ...]
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from debs import AptError, PrivateApt, unpack

FOLDER = Path(__file__).resolve().parents[1] / "out" / "programs"
# Ubuntu has Chromium only as a snap: there CHROMIUM is not found, and EDGE_AI_CHROMIUM may name one.
WANTED = {
    "chromium": ["chromium-headless-shell"],
    "prometheus": ["prometheus"],
    "haproxy": ["haproxy"],
    "sshd": ["openssh-server"],
    "docker": ["docker.io", "docker-compose", "mmdebstrap", "busybox-static"],
}


def main(arguments: Sequence[str]) -> int:
    """Bring what is not there; the exit status."""
    if unknown := [name for name in arguments if name not in WANTED]:
        print(f"error: '{unknown[0]}' is none of {', '.join(WANTED)}", file=sys.stderr)
        return 2
    try:
        for name in arguments or WANTED:
            if bring(name):
                print(f"{', '.join(WANTED[name])}: in {FOLDER / name}")
    except (AptError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def bring(name: str) -> bool:
    """Unpack packages and what they depend on, except for what is installed, into a folder of this name.

    Returns:
        False where it was there.

    Raises:
        AptError: there is no apt, or it cannot have them.
    """
    if (FOLDER / name).exists():
        return False
    part, lists = FOLDER / f"{name}.part", FOLDER / f"{name}.apt"
    for folder in (part, lists):
        shutil.rmtree(folder, ignore_errors=True)
    part.mkdir(parents=True)
    apt = PrivateApt(lists)
    apt.update()
    for file in apt.closure(WANTED[name]):
        unpack(file, part)
    part.rename(FOLDER / name)
    shutil.rmtree(lists)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
