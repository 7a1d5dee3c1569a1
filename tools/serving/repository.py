"""Model repositories made with the server's own Python, so that the caller needs no package of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from installer.console import SetupError
from installer.process import clean_environment

from serving.environment import FOLDER, ROOT, prepare

KINDS = ("jpeg", "image", "tensor")


def shipped_repository(into: Path, kinds: Sequence[str] = KINDS, *more: str) -> Path:
    """The shipped detector as nanodet_g_416, nanodet_g_416_image and nanodet_g_416_tensor, by what clients send.

    Args:
        into: folder of the repository, which is returned.
        kinds: which of the three.
        more: further arguments of `edge-ai serve-repository`.

    Raises:
        SetupError: it cannot be made.
    """
    prepare()
    words = [word for kind in kinds for word in ("--input", kind)]
    command = [str(FOLDER / "bin" / "python"), "-m", "edge_ai.cli.main", "serve-repository", "--into", str(into)]
    env = clean_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    done = subprocess.run([*command, *words, *more], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"edge-ai serve-repository failed: {done.stderr.strip()}")
    return into
