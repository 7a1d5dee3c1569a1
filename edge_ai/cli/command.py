"""What every command is."""

from __future__ import annotations

import argparse
from typing import Protocol


class Command(Protocol):
    """One verb of edge-ai; its module loads heavy libraries only in `main`."""

    summary: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""

    def main(self, options: argparse.Namespace) -> int:
        """Do it; returns the exit status. Raises EdgeAIError for what the user can mend."""
