"""edge-ai verify: whether a set of artifacts is signed, whole and in time."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path


class VerifyCommand:
    """Judges a set as a robot does, but keeps nothing: a robot also compares with the versions it has seen."""

    summary = "check a signed set: signature, every file, expiry; exit status 1 if anything is wrong"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("set", type=Path, help="folder of the set")
        parser.add_argument("--keys", type=Path, nargs="+", required=True, metavar="FILE", help="trusted public keys")
        parser.add_argument("--device", metavar="NAME", help="profile or board that must be among its targets")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.core.errors import ArtifactError
        from edge_ai.deployment.artifacts.files import check_whole, read_manifest
        from edge_ai.deployment.artifacts.keys import PublicKey
        from edge_ai.deployment.artifacts.manifest import parse
        from edge_ai.deployment.artifacts.rules import check_device, late

        keys, what = [PublicKey.load(path) for path in options.keys], f"set '{options.set}'"
        manifest, _ = parse(read_manifest(options.set), keys, str(options.set))
        check_whole(options.set, manifest.files)
        if expired := late(manifest, datetime.now(timezone.utc)):
            raise ArtifactError(what, got=expired, mend="sign a new set: edge-ai sign --expires")
        if options.device:
            check_device(manifest, [options.device], what)
        needs = "".join(f", needs {name} {version}" for name, version in manifest.software.items())
        print(f"{manifest.title}: signed, whole, {len(manifest.files)} files")
        print(f"  for {', '.join(manifest.targets)}{needs}")
        print(f"  created {manifest.created:%Y-%m-%d %H:%M} UTC, expires {manifest.expires:%Y-%m-%d %H:%M} UTC")
        return 0
