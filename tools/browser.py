#!/usr/bin/env python3
"""A headless Chromium and promtool from Debian's packages, unpacked into out/browser: the tests of the page use them.

python3 tools/browser.py
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from debs import AptError, PrivateApt, unpack

FOLDER = Path(__file__).resolve().parents[1] / "out" / "browser"
# Ubuntu has Chromium only as a snap: there CHROMIUM is not found, and EDGE_AI_CHROMIUM may name one.
WANTED = {"chromium": "chromium-headless-shell", "prometheus": "prometheus"}


def main() -> int:
    """Bring what is not there; the exit status."""
    lists = FOLDER / "apt"
    try:
        for name, package in WANTED.items():
            if (FOLDER / name).exists():
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
    sys.exit(main())
