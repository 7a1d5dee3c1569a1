"""An emergency stop that outlives the process that obeys it: one that dies comes back, and must not drive then."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import boot_id, plain_name, runtime_folder

log = logging.getLogger(__name__)


class KeptStop:
    """Whether a robot is stopped, in a file of this boot: who switches the machine off and on is there to look.

    Args:
        path: of the file; its folder is made. None: nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self._boot = path, boot_id()

    @classmethod
    def of(cls, robot: str) -> KeptStop:
        """That of a robot of this user.

        Args:
            robot: tells it from others on this machine.
        """
        try:
            return cls(runtime_folder() / f"emergency_stop{plain_name(f'/{robot}')}")
        except EdgeAIError as error:
            log.warning("an emergency stop is not kept over a crash: %s", error)
            return cls(None)

    @property
    def stopped(self) -> bool:
        """Whether the stop was asked for and not released since. A file that cannot be read is one that is there."""
        if self._path is None:
            return False
        try:
            return self._path.read_text() in ("", self._boot)  # empty: killed while writing it
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            log.warning("'%s' is there and cannot be read: %s", self._path, error)
            return True

    def keep(self, *, stopped: bool) -> None:
        """Remember it from now on. A disk that refuses is reported."""
        if self._path is None:
            return
        try:
            if stopped:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._path.write_text(self._boot)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.error("emergency stop: '%s' cannot be changed: %s", self._path, error.strerror)
