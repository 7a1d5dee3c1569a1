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
    "chromium": "chromium-headless-shell",
    "prometheus": "prometheus",
    "haproxy": "haproxy",
    "sshd": "openssh-server",
}


def main(arguments: Sequence[str]) -> int:
    """Bring what is not there; the exit status."""
    lists = FOLDER / "apt"
    try:
        for name, package in WANTED.items():
            if (FOLDER / name).exists() or (arguments and name not in arguments):
                continue
            apt = PrivateApt(lists)
            apt.update()
            for file in apt.closure([package]):
                unpack(file, FOLDER / f"{name}.part")
            (FOLDER / f"{name}.part").rename(FOLDER / name)
            print(f"{package} is in {FOLDER / name}")
            shutil.rmtree(lists)
    except (AptError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
