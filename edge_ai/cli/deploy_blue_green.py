"""edge-ai deploy blue-green."""

from __future__ import annotations

import argparse


class BlueGreenCommand:
    """To be written."""

    summary = "a new release beside the one that serves, on one robot"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        pass

    def main(self, options: argparse.Namespace) -> int:
        raise NotImplementedError
