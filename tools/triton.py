"""A Triton server on this machine: python tools/triton.py setup | serve [FOLDER]

`serve` without a folder makes the model repository of the shipped detector in out/ and serves that. The server comes
from the wheel nvidia-pytriton, in an environment of its own; in production NVIDIA's container serves the same folder.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installer.console import SetupError, say
from serving.environment import ROOT, prepare, unfit
from serving.repository import shipped_repository
from serving.server import Tls, TritonServer

__all__ = ["Tls", "TritonServer", "main", "prepare", "shipped_repository", "unfit"]


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.command == "setup":
            say(f"Triton: {prepare().program}")
            return 0
        return _serve(options)
    except SetupError as error:
        say(f"triton.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="triton.py", description=str(__doc__).split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="install it in out/triton/")
    serve = commands.add_parser("serve", help="run it until Ctrl-C")
    serve.add_argument("repository", nargs="?", type=Path, help="as edge-ai serve-repository makes it")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=int, default=8000, help="for HTTP; 0: a free one")
    serve.add_argument("--grpc-port", type=int, default=8001, help="for gRPC; 0: a free one")
    serve.add_argument("--cert", type=Path, help="TLS for gRPC: its certificate")
    serve.add_argument("--key", type=Path, help="TLS for gRPC: its private key")
    serve.add_argument("--client-ca", type=Path, help="TLS for gRPC: authorities of the clients' certificates")
    return parser


def _serve(options: argparse.Namespace) -> int:
    if bool(options.cert) != bool(options.key):
        raise SetupError("--cert and --key belong together")
    tls = Tls(options.cert, options.key, options.client_ca) if options.cert else None
    folder = options.repository or shipped_repository(ROOT / "out" / "serve")
    log = ROOT / "out" / "triton-serve.log"
    ports = {"http_port": options.port, "grpc_port": options.grpc_port}
    with TritonServer(folder, host=options.host, tls=tls, log=log, **ports) as server:
        say(f"serving {', '.join(server.models)} at {server.http} and {server.grpc}; its log is {log}")
        while server.pid is not None:
            time.sleep(0.2)
    say(f"triton.py: the server ended, see {log}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
