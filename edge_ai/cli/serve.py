"""edge-ai serve-repository: a model card as what a Triton server serves."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_ai.core.errors import ParameterError


class ServeRepositoryCommand:
    """Writes model repositories."""

    summary = "write a model repository of Triton from a model card"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        from edge_ai.runtime.server_options import ServerOptions

        default = ServerOptions()
        parser.add_argument("card", nargs="?", help="model card; default: the shipped detector")
        parser.add_argument("--into", type=Path, required=True, help="folder of the repository")
        parser.add_argument(
            "--backend",
            default=default.backend,
            choices=("python", "onnxruntime", "tensorrt"),
            help="who runs it: this package, or Triton's ONNX Runtime, with TensorRT on a GPU; default: python",
        )
        parser.add_argument(
            "--input",
            dest="takes",
            action="append",
            choices=("jpeg", "image", "tensor"),
            help="what clients send, for each a model; default: jpeg, or tensor where Triton runs it",
        )
        parser.add_argument("--name", default=default.name, help="of the model on the server; default: from the card")
        parser.add_argument("--max-batch", type=int, default=default.max_batch, help="requests in one inference")
        parser.add_argument("--queue", type=int, default=default.queue, help="requests that may wait")
        parser.add_argument("--timeout", type=float, default=default.timeout, help="s that a request waits at most")
        parser.add_argument("--instances", type=int, default=default.instances, help="copies of the model")
        parser.add_argument(
            "--parameter", action="append", default=[], metavar="NAME=VALUE", help="of inference_node: providers=cuda"
        )
        parser.add_argument("--no-files", action="store_true", help="leave out the model itself")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.processing.card import ModelCard
        from edge_ai.runtime.model_repository import write_model
        from edge_ai.runtime.resources import shipped_card
        from edge_ai.runtime.server_options import ServerOptions
        from edge_ai.runtime.triton_model import served_params

        path = Path(options.card) if options.card else shipped_card()
        card = ModelCard.load(path)
        parameters = dict(map(_pair, options.parameter))
        served_params(parameters, path, 1)  # what is wrong with them, it says now and not in the server's log
        kinds = options.takes or (["jpeg"] if options.backend == "python" else ["tensor"])
        if options.name and len(kinds) > 1:
            raise ParameterError("--name", got=f"{len(kinds)} models", wanted="one --input")
        for kind in kinds:
            how = ServerOptions(
                backend=options.backend,
                takes=kind,
                name=options.name,
                max_batch=options.max_batch,
                queue=options.queue,
                timeout=options.timeout,
                instances=options.instances,
                parameters=tuple(parameters.items()),
            )
            print(write_model(card, path, how, options.into, files=not options.no_files))
        return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value) or '"' in value:
        raise ParameterError("--parameter", got=repr(text), wanted="NAME=VALUE, without quotes")
    return name, value
