"""edge-ai model: check a model card against its model, and time it."""

from __future__ import annotations

import argparse
import statistics
import time


class ModelCommand:
    """Loads a card the way the inference node does, and says what came of it."""

    summary = "check a model card: load it, run it, time it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        from edge_ai.runtime.params import InferenceParams

        default = InferenceParams()
        parser.add_argument("card", nargs="?", default=default.model, help="model card; default: the shipped detector")
        parser.add_argument("--provider", action="append", help="ONNX Runtime execution provider: cpu, cuda, tensorrt")
        parser.add_argument("--runs", type=int, default=20, help="inferences to time")

    def main(self, options: argparse.Namespace) -> int:
        from edge_ai.runtime.model import Model
        from edge_ai.runtime.params import InferenceParams

        changes = {"providers": options.provider} if options.provider else {}
        model = Model.load(InferenceParams.parse({"model": options.card, **changes}, owner="edge-ai model"))
        request, times = model.request(), []
        for _ in range(max(options.runs, 1)):
            start = time.perf_counter()
            model.backend.infer(request.feeds())
            times.append((time.perf_counter() - start) * 1e3)
        card = model.card
        print(f"{card.name} {card.version} ({card.licence}), {len(card.labels)} classes, {model.backend.description}")
        for side, tensors in (("input", model.backend.inputs), ("output", model.backend.outputs)):
            for spec in tensors.values():
                print(f"  {side} {spec.name}: {spec.dtype} {list(spec.shape)}")
        print(f"  batches: {'one image only: ' + model.single if model.single else 'of any size'}")
        print(f"  inference: median {statistics.median(times):.1f} ms of {len(times)} runs")
        model.close()
        return 0
