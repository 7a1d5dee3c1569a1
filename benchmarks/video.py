"""The video whose pictures are replayed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import ROOT


def find_video(say: Callable[[str], None]) -> str:
    """The path of the demo's video, fetched if need be; "synthetic" where there is none."""
    folder = ROOT / "out" / "data"
    names = ("vtest.avi", "bikes.mp4")
    if not any((folder / name).is_file() for name in names):
        say("fetching the demo's video")
        subprocess.run([sys.executable, str(ROOT / "tools" / "demo_video.py")], cwd=ROOT, check=False)
    for name in names:
        if (folder / name).is_file():
            return str(folder / name)
    say("no video: drawn shapes take its place, in which the model finds nothing")
    return SYNTHETIC
