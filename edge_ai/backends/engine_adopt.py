"""Engines that another machine built: taken into the cache of this one, where the gate still has to let them pass."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge_ai.backends.cuda_memory import DeviceInfo
from edge_ai.backends.engine_cache import MANIFEST, PLAN, EngineCache, Entry
from edge_ai.backends.engine_key import key_for
from edge_ai.backends.engine_manifest import EngineKey, Manifest
from edge_ai.backends.engine_params import BUILD_FIELDS, EngineParams
from edge_ai.backends.options import BackendOptions
from edge_ai.core.errors import EdgeAIError, EngineError


def adopt(folder: Path, model_path: Path, device: DeviceInfo, tensorrt: str, cache: EngineCache) -> Entry:
    """Keep an engine as one of this machine's own, not accepted yet by any gate. Nothing of it is deserialised.

    Args:
        folder: of the engine and its manifest, both verified by the caller: an engine is native code.
        model_path: of the ONNX model it is to be built from.
        device: the GPU here.
        tensorrt: version of TensorRT here.
        cache: where to keep it.

    Raises:
        EngineError: it is of another model, GPU or TensorRT, or its manifest does not describe it.
    """
    what, mend = f"engine '{folder / PLAN}'", "build it on a machine like this one: edge-ai compile CARD"
    try:
        manifest = Manifest.brought((folder / MANIFEST).read_text(), str(folder / MANIFEST))
        plan = (folder / PLAN).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(what, got=str(error), mend=mend) from None
    wanted = key_for(model_path, _options(manifest.key, what, mend), device, tensorrt)
    if difference := wanted.differs(manifest.key):
        raise EngineError(what, got=difference, mend=mend)
    if hashlib.sha256(plan).hexdigest() != manifest.sha256:
        raise EngineError(what, got="another engine than its manifest describes", mend=mend)
    found = cache.find(manifest.key)
    if found is not None and found.manifest.sha256 == manifest.sha256:
        return found
    return cache.store(manifest.key, plan, seconds=manifest.seconds, notes=manifest.notes)


def _options(key: EngineKey, what: str, mend: str) -> BackendOptions:
    """What it was built with, as it would be asked for here."""
    try:
        engine = EngineParams.parse({name: key.options[name] for name in BUILD_FIELDS if name in key.options})
        shapes = {name: tuple(map(tuple, sizes)) for name, sizes in key.options["shapes"].items()}
        return BackendOptions(
            backend="tensorrt", providers=("cpu",), threads=0, spinning="none", engine=engine, shapes=shapes
        )
    except (EdgeAIError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise EngineError(what, got=f"options that cannot be read ({error})", mend=mend) from None
