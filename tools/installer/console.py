"""Progress and errors on the terminal. Readable for old Pythons, see tools/bootstrap.py."""

import sys
import time

QUIET_INTERVAL = 15.0  # s between two signs of life where the output is not a terminal


class SetupError(Exception):
    """What the user has to mend before set-up can go on, in words."""


def say(text, file=None):
    """Print one line and flush it."""
    print(text, file=file or sys.stdout)
    (file or sys.stdout).flush()


class Step:
    """One numbered step: what it does, signs of life, and how long it took."""

    def __init__(self, label):
        self.label = label
        self._start = self._told = time.monotonic()
        self._tty = sys.stdout.isatty()
        self._show(self.label + " ...", end="\r" if self._tty else "\n")

    @property
    def seconds(self):
        """Time since the step began."""
        return time.monotonic() - self._start

    def tell(self, state):
        """Show where the step stands: at once on a terminal, every few seconds in a log."""
        now = time.monotonic()
        if now - self._told < (0.2 if self._tty else QUIET_INTERVAL):
            return
        self._told = now
        text = f"{self.label} ... {state} ({self.seconds:.0f} s)"
        self._show(text, end="\r" if self._tty else "\n")

    def done(self, state="done"):
        """End the step."""
        self._show(f"{self.label}: {state} ({self.seconds:.1f} s)")

    def _show(self, text, end="\n"):
        sys.stdout.write((("\033[K" + text[:110]) if self._tty else text) + end)
        sys.stdout.flush()
