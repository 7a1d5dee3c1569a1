"""edge-ai deploy canary."""

from __future__ import annotations

import argparse


class CanaryCommand:
    """To be written."""

    summary = "a new release on some robots first, on all if it does well"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        pass

    def main(self, options: argparse.Namespace) -> int:
        raise NotImplementedError
