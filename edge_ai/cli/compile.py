"""edge-ai compile: build a model's TensorRT engine before the robot needs it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge_ai.cli.workshop import command_line, workshop_main


class CompileCommand:
    """Builds and judges in another process, with the parameters of the inference node."""

    summary = "build a model's TensorRT engine for this machine; exit status 1 if the gate refuses it, 2 for wrong use"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        from edge_ai.backends.engine_params import EngineParams

        parser.add_argument("card", nargs="?", default="", help="model card; default: the shipped detector")
        parser.add_argument("--batch", type=int, metavar="N", help="images in one inference at most; default 1")
        parser.add_argument("--profile", default="", metavar="NAME|FILE", help="a board's: its inference parameters")
        parser.add_argument("--output", type=Path, metavar="DIR", help="folder for a report; default: none is written")
        parser.add_argument("--again", action="store_true", help="build even if there is an engine, or a refused one")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"a parameter of the inference node: {', '.join(EngineParams.model_fields)}",
        )

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.backends.engine_cache import EngineCache
        from edge_ai.backends.trt import TensorRTBackend
        from edge_ai.core.errors import BackendError
        from edge_ai.processing.card import ModelCard
        from edge_ai.runtime.engine_build import EngineBuild
        from edge_ai.runtime.engine_job import EngineRequest
        from edge_ai.runtime.model import backend_options
        from edge_ai.runtime.params import InferenceParams
        from edge_ai.runtime.profiles import profile_path, profile_values
        from edge_ai.runtime.resources import shipped_card

        path = Path(options.card) if options.card else shipped_card()
        profile = profile_values(profile_path(options.profile), "inference") if options.profile else {}
        known = {name: value for name, value in profile.items() if name in InferenceParams.model_fields}
        batch = {} if options.batch is None else {"max_batch": options.batch}
        values = {**known, **batch, **_settings(options.set)}
        params = InferenceParams.parse(values, owner="edge-ai compile")
        card = ModelCard.load(path)
        wanted = backend_options(card, params)
        if reason := TensorRTBackend.unfit(card.model_path, wanted):
            raise BackendError("edge-ai compile needs TensorRT and an NVIDIA GPU", got=reason)
        request = EngineRequest(card=str(path), options=wanted, again=options.again)
        print(f"{card.name} {card.version}, {params.precision}: this may take minutes; Ctrl-C leaves nothing behind")
        folder = EngineBuild(request, say=_say, memory_limit=params.build_memory << 20).run()
        manifest = EngineCache.at(params.engine_cache).read(folder).manifest
        assert manifest.verdict is not None
        print(f"\n{folder / 'engine.plan'}: {manifest.size / 1e6:.1f} MB, built in {manifest.seconds:.0f} s")
        for note in manifest.notes:
            print(f"  note: {note}")
        print(f"  {manifest.verdict.gate}: {manifest.verdict.reason}")
        if options.output is not None:
            print(f"  report: {_report(options.output, card, params.precision, manifest)}")
        return 0


def _report(folder: Path, card: Any, precision: str, manifest: Any) -> Path:
    """Write what the gate said of an engine as a page and as JSON."""
    from edge_ai.optimization.artifact import write_report_files
    from edge_ai.optimization.engine_results import engine_data
    from edge_ai.optimization.report import write_report

    data = engine_data(card, precision, manifest, command_line())
    return write_report_files(folder, "report", data, write_report(data))


def _settings(pairs: list[str]) -> dict[str, Any]:
    import yaml

    from edge_ai.core.errors import ParameterError

    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ParameterError("--set", got=repr(pair), wanted="NAME=VALUE")
        values[name] = yaml.safe_load(value)
    return values


def _say(words: str) -> None:
    end = "\r" if sys.stdout.isatty() else "\n"
    print(f"  {words}".ljust(100), end=end, flush=True)
