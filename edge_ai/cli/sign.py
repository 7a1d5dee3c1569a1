"""edge-ai sign: bind a model and what belongs to it in one signed set, or make the key for that."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

PASSWORD = "EDGE_AI_KEY_PASSWORD"


class SignCommand:
    """Checks what it signs: the card, its model, the parameters; says what robots will make of the set."""

    summary = "sign a model with its card, engine, parameters and report as one set; or make a key: --new-key NAME"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("card", nargs="?", type=Path, help="model card")
        parser.add_argument("--new-key", metavar="NAME", help="make a key: NAME.key, to be kept safe, and NAME.pub")
        parser.add_argument("--password", action="store_true", help=f"for the new key; asked for, or from ${PASSWORD}")
        parser.add_argument("--key", type=Path, action="append", default=[], metavar="FILE", help="repeat: both sign")
        parser.add_argument("--name", help="of the line of sets that replace each other; default: the card's file name")
        parser.add_argument("--version", type=int, metavar="N", help="of the set, greater than any before")
        parser.add_argument("--expires", metavar="WHEN", help="not admitted from then on: 90d, or 2027-01-31 (UTC)")
        parser.add_argument("--target", action="append", default=[], help="profile or board it is for, or any; repeat")
        parser.add_argument(
            "--software", action="append", default=[], metavar="NAME=VERSION", help="needs: tensorrt=10.3, jetpack=6"
        )
        parser.add_argument("--engine", type=Path, metavar="FOLDER", help="built engine, as edge-ai compile names it")
        parser.add_argument("--config", type=Path, metavar="YAML", help="parameter file for the inference node")
        parser.add_argument("--report", type=Path, action="append", default=[], metavar="FILE", help="of its accuracy")
        parser.add_argument("--golden", type=Path, metavar="PICTURES", help="folder; the model's answers go along")
        parser.add_argument("--into", type=Path, metavar="SET", help="folder for the set, which must not exist yet")

    def main(self, options: argparse.Namespace) -> int:
        return _new_key(options) if options.new_key else _sign(options)


def _new_key(options: argparse.Namespace) -> int:
    from edge_ai.deployment.artifacts.keys import PrivateKey

    password = os.environ.get(PASSWORD, "")
    if options.password and not password:
        password = _ask("password of the new key: ")
    path, key = Path(f"{options.new_key}.key"), PrivateKey.make()
    key.save(path, password)
    print(f"{path}: keep it off the robots; {'with' if password else 'without'} a password")
    print(f"{path.with_suffix('.pub')}: name it in trusted_keys; fingerprint {key.public.fingerprint}")
    return 0


def _sign(options: argparse.Namespace) -> int:
    from edge_ai.core.errors import ParameterError
    from edge_ai.deployment.artifacts.keys import PrivateKey
    from edge_ai.deployment.artifacts.make import make_set
    from edge_ai.optimization.signing import Belongings, sources

    needed = ("card", "key", "version", "expires", "target", "into")
    if missing := [f"--{name}".replace("--card", "CARD") for name in needed if not getattr(options, name)]:
        raise ParameterError("edge-ai sign", got=f"no {', '.join(missing)}", wanted="all of them, or --new-key NAME")
    expires = expiry(options.expires, datetime.now(timezone.utc))
    _check_targets(options.target)
    keys = [PrivateKey.load(path, _password(path)) for path in options.key]
    with tempfile.TemporaryDirectory() as folder:
        golden = _golden(options.card, options.golden, Path(folder)) if options.golden else None
        manifest = make_set(
            sources(options.card, Belongings(options.engine, options.config, options.report, golden)),
            options.into,
            keys,
            name=options.name or options.card.stem,
            version=options.version,
            expires=expires,
            targets=options.target,
            software=_software(options.software),
        )
    print(f"{options.into}: {manifest.title}, for {', '.join(manifest.targets)}, until {manifest.expires:%Y-%m-%d}")
    for path, entry in manifest.files.items():
        print(f"  {entry.role:15} {path}, {entry.size} bytes")
    return 0


def expiry(text: str, now: datetime) -> datetime:
    """When a set expires that is signed now: "90d" from now, or a date.

    Raises:
        ParameterError: it is neither, or past.
    """
    from edge_ai.core.errors import ParameterError

    wanted = "days from now like 90d, or a date to come like 2027-01-31"
    try:
        if match := re.fullmatch(r"(\d{1,5})d", text):
            moment = now.replace(microsecond=0) + timedelta(days=int(match[1]))
        else:
            moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        raise ParameterError("--expires", got=repr(text), wanted=wanted) from None
    if moment <= now:
        raise ParameterError("--expires", got=repr(text), wanted=wanted)
    return moment


def _check_targets(targets: Sequence[str]) -> None:
    from edge_ai.core.errors import ParameterError
    from edge_ai.deployment.artifacts.manifest import ANY
    from edge_ai.platforms.boards import boards

    known = {ANY, "generic_pc", *(name for board in boards() for name in (board.key, board.profile) if name)}
    if unknown := sorted(set(targets) - known):
        raise ParameterError("--target", got=", ".join(unknown), wanted=f"some of {', '.join(sorted(known))}")


def _golden(card: Path, pictures: Path, into: Path) -> Path:
    """The model's answers, as ONNX Runtime on the processor gives them."""
    from edge_ai.capture.folder import list_pictures
    from edge_ai.runtime.model import Model
    from edge_ai.runtime.params import InferenceParams
    from edge_ai.runtime.swap.golden import record

    model = Model.load(InferenceParams(model=str(card), backend="onnxruntime", warm_up=0))
    try:
        record(model, list_pictures(pictures, str(pictures)), into)
    finally:
        model.close()
    return into


def _software(pairs: Sequence[str]) -> dict[str, Any]:
    from edge_ai.core.errors import ParameterError

    values = {}
    for pair in pairs:
        name, equals, version = pair.partition("=")
        if not (equals and version):
            raise ParameterError("--software", got=repr(pair), wanted="NAME=VERSION like tensorrt=10.3")
        values[name] = version
    return values


def _password(path: Path) -> str:
    from edge_ai.deployment.artifacts.keys import is_encrypted

    if not is_encrypted(path):
        return ""
    return os.environ.get(PASSWORD) or _ask(f"password of '{path}': ")


def _ask(prompt: str) -> str:
    from edge_ai.core.errors import ParameterError

    if not sys.stdin.isatty():
        raise ParameterError("password", got="nobody to ask", mend=f"set {PASSWORD} in the environment")
    return getpass.getpass(prompt)
