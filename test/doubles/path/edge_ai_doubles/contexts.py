"""CUDA contexts: a stack in each thread, and one primary context a device that the runtime API binds by itself."""

from __future__ import annotations

from edge_ai_doubles import state
from edge_ai_doubles.errors import CONTEXT_DESTROYED, INVALID_CONTEXT, CudaError
from edge_ai_doubles.state import NOW


class Context:
    """Owns the memory and the streams that were made in it."""

    def __init__(self, device: int) -> None:
        self.device = device
        self.users = 0
        self.alive = True
        self.handle = state.handle(self, 1)

    def destroy(self) -> None:
        """Free all that was made in it."""
        self.alive = False
        for block in [b for b in NOW.blocks.values() if b.context is self]:
            block.release()
        for number, thing in list(NOW.handles.items()):
            if getattr(thing, "context", None) is self or thing is self:
                del NOW.handles[number]


def stack() -> list[Context]:
    """The calling thread's contexts, the current one last."""
    local = NOW.local
    if not hasattr(local, "stack"):
        local.stack, local.device = [], 0
    found: list[Context] = local.stack
    return found


def current() -> Context | None:
    """The calling thread's context; None if it has none."""
    contexts = stack()
    return contexts[-1] if contexts else None


def required() -> Context:
    """As the driver API sees it: a thread without a context may do nothing."""
    state.check_device()
    context = current()
    if context is None:
        raise CudaError(INVALID_CONTEXT)
    if not context.alive:
        raise CudaError(CONTEXT_DESTROYED)
    return context


def bound() -> Context:
    """As the runtime API sees it: a thread without a context gets the device's primary one."""
    state.check_device()
    context = current()
    if context is None or not context.alive:
        stack()[:] = [retain_primary(NOW.local.device)]
    return required()


def retain_primary(device: int) -> Context:
    """The device's primary context, with one user more; it does not become current."""
    state.check_device(device)
    context = NOW.primary.get(device)
    if context is None or not context.alive:
        context = NOW.primary[device] = Context(device)
    context.users += 1
    return context


def release_primary(device: int) -> None:
    """One user less; the last one's leaving destroys it."""
    context = NOW.primary.get(device)
    if context is None or context.users < 1:
        raise CudaError(INVALID_CONTEXT)
    context.users -= 1
    if not context.users:
        del NOW.primary[device]
        context.destroy()


def set_device(device: int) -> None:
    """cudaSetDevice: bind that device's primary context to this thread."""
    state.check_device(device)
    contexts = stack()
    NOW.local.device = device
    primary = NOW.primary.get(device)
    if not contexts or contexts[-1] is not primary:
        contexts[:] = [*contexts[:-1], retain_primary(device)]
