"""Docker, its client and compose from Debian's packages, where tools/programs.py unpacks them; nothing is installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from installer.console import Step
from programs import FOLDER, bring


@dataclass(frozen=True)
class Programs:
    """The programs in a folder.

    Attributes:
        folder: all of it; may be removed.
    """

    folder: Path = FOLDER / "docker"

    def fetch(self) -> None:
        """Bring what is not there.

        Raises:
            AptError: there is no apt, or it cannot have them.
        """
        if not self.folder.exists():
            step = Step("      fetching Docker")
            bring("docker")
            step.done()

    def environment(self) -> dict[str, str]:
        """The variables in which they find each other and their libraries."""
        usr = self.folder / "usr"
        path = [str(usr / "bin"), str(usr / "sbin"), os.environ.get("PATH", "")]
        return {**os.environ, "PATH": os.pathsep.join(path), "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}

    def compose(self) -> list[str]:
        """The command line of Debian's compose, which runs with the system's Python and its own libraries."""
        usr = self.folder / "usr"
        libraries = f"PYTHONPATH={usr / 'lib' / 'python3' / 'dist-packages'}"
        return ["env", libraries, "/usr/bin/python3", str(usr / "bin" / "docker-compose")]
