"""The base image, for a machine that reaches no registry of images: Debian, made from its packages."""

from __future__ import annotations

import shlex
from pathlib import Path

from installer.console import SetupError, Step, say

from container_engine.engine import Engine

IMAGE = "debian:bookworm-slim"
SUITE = "bookworm"
# As in the image of that name: neither documentation nor what apt has downloaded stays.
SLIM = ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*"]
SLIM += ["--dpkgopt=path-exclude=/usr/share/man/*"]
CLEAN = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };'
AUTHORITIES, PIP = "/usr/local/share/ca-certificates", "/etc/pip.conf"


def ensure_base(engine: Engine) -> None:
    """Have the Dockerfile's base image: there already, pulled, or made here with this machine's authorities for TLS.

    Raises:
        SetupError: neither a registry nor Debian's packages can be had.
    """
    if engine.has_image(IMAGE):
        return
    try:
        engine.docker("pull", IMAGE, timeout=300)
        return
    except SetupError as error:
        say(f"      {IMAGE} cannot be pulled: {str(error).splitlines()[-1].strip()}")
    step, tar = Step(f"      making {IMAGE}"), engine.folder / "base.tar"
    engine.run("mmdebstrap", "--variant=minbase", "--include=ca-certificates", *SLIM, *_hooks(), SUITE, tar)
    engine.docker("import", tar, IMAGE, timeout=300)
    tar.unlink()
    step.done()


def _hooks() -> list[str]:
    """What makes pip and apt trust inside what they trust outside, where a proxy signs with an authority of its own."""
    hooks = [f'echo {shlex.quote(CLEAN)} > "$1/etc/apt/apt.conf.d/docker-clean"']
    if Path(AUTHORITIES).is_dir():
        hooks += [f"copy-in {AUTHORITIES} {Path(AUTHORITIES).parent}", 'chroot "$1" update-ca-certificates']
    if Path(PIP).is_file():
        hooks.append(f'cp {shlex.quote(PIP)} "$1{PIP}"')
    return [f"--customize-hook={hook}" for hook in hooks]
