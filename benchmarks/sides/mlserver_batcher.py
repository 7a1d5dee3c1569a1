"""MLServer's AdaptiveBatcher in front of the same engine, in a virtual environment of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.sides.serve import Task, serve

PACKAGES = ("mlserver==1.7.1", "onnxruntime>=1.16,<2")
_INSTALL_S = 300.0


def prepare(folder: Path) -> str:
    """Make the environment if there is none yet; returns its interpreter.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be had.
    """
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=60)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(install, check=True, capture_output=True, timeout=_INSTALL_S)
        ready.write_text("\n".join(PACKAGES) + "\n")
    return str(python)


class Peer:
    """The engine behind an MLServer model, called directly or through the batcher; all of it on one event loop.

    Args:
        setup: ``model``, an ONNX file.
    """

    def __init__(self, setup: Task) -> None:
        from benchmarks.sides.engines import Engine

        self._engine = Engine(setup["model"], 32)
        self._loop = asyncio.new_event_loop()

    def measure(self, task: Task) -> dict[str, Any]:
        """Items at a steady ``rate`` for ``seconds`` after ``warm`` seconds.

        Args:
            task: besides these the ``policy``: "directly", or size and wait of the batcher.

        Returns:
            ``times`` of the items in seconds and the processor time ``cpu_s`` used for each.
        """
        return self._loop.run_until_complete(self._measure(task))

    async def _measure(self, task: Task) -> dict[str, Any]:
        with ExitStack() as stack:
            send = self._direct() if task["policy"] == "directly" else self._batched(stack, *task["policy"])
            await self._paced(task["rate"], task["warm"], send)
            before = time.process_time()
            times = await self._paced(task["rate"], task["seconds"], send)
            used = time.process_time() - before
        return {"times": times, "cpu_s": used / (task["rate"] * task["seconds"])}

    async def _paced(self, rate: float, seconds: float, send: Any) -> list[float]:
        times: list[float] = []

        async def one() -> None:
            began = time.monotonic()
            await send()
            times.append(time.monotonic() - began)

        began, tasks = time.monotonic(), []
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(asyncio.ensure_future(one()))
        await asyncio.gather(*tasks)
        return times

    def _direct(self) -> Any:
        item = self._engine.item()

        async def send() -> None:
            self._engine.run([item])

        return send

    def _batched(self, stack: ExitStack, size: int, wait: float) -> Any:
        import numpy as np
        from mlserver import MLModel, ModelSettings
        from mlserver.batching import AdaptiveBatcher
        from mlserver.context import model_context
        from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput

        engine, shape = self._engine, self._engine.shape

        class Model(MLModel):  # type: ignore[misc]
            async def predict(self, payload: Any) -> Any:
                given = payload.inputs[0]
                items = np.array(getattr(given.data, "root", given.data), np.float32).reshape(-1, *shape)
                found = engine.run(items)
                output = ResponseOutput(name="y", shape=list(found.shape), datatype="FP32", data=found.ravel().tolist())
                return InferenceResponse(model_name="engine", outputs=[output])

        settings = ModelSettings(name="engine", implementation=Model, max_batch_size=size, max_batch_time=wait)
        stack.enter_context(model_context(settings))
        batcher = AdaptiveBatcher(Model(settings))
        values = engine.item().ravel().tolist()
        given = RequestInput(name="x", shape=[1, *shape], datatype="FP32", data=values)

        async def send() -> None:
            await batcher.predict(InferenceRequest(inputs=[given]))

        return send


if __name__ == "__main__":
    peer = os.environ.pop("EDGE_AI_PEER_PYTHON", "")
    if peer:
        os.execv(peer, [peer, "-m", "benchmarks.sides.mlserver_batcher", *sys.argv[1:]])
    serve(lambda setup: nullcontext(Peer(setup)))
