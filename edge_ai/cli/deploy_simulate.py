"""edge-ai deploy simulate."""

from __future__ import annotations

import argparse


class SimulateCommand:
    """To be written."""

    summary = "what a rollout over many robots would do, by simulation with the real judge"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        pass

    def main(self, options: argparse.Namespace) -> int:
        raise NotImplementedError
