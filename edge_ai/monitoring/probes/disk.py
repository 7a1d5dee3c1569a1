"""The volume of the models. A source of its own: a share on the network that is gone keeps its caller waiting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from edge_ai.monitoring.readings import Readings


class DiskProbe:
    """Space on one volume.

    Args:
        root: the machine's file system.
        folder: somewhere on the volume; None: the user's home, where engines are kept.
    """

    name = "disk"

    def __init__(self, root: Path = Path("/"), folder: Path | None = None) -> None:
        home = Path.home() if root == Path("/") else root
        self._folder = str(folder or (home if home.is_dir() else root))

    @classmethod
    def unfit(cls, root: Path) -> str:
        return ""

    def open(self) -> None:
        pass

    def read(self) -> Readings:
        space = psutil.disk_usage(self._folder)
        return {"disk": space.percent / 100, "disk_free": float(space.free)}

    def texts(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass
