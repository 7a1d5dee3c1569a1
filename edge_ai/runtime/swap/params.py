"""Parameters of model updates: how a new model is examined before it answers, and watched after."""

from __future__ import annotations

from edge_ai.core.params import Params, param


class SwapParams(Params):
    """How patiently and how strictly a new model is examined."""

    state_folder: str = param(
        "",
        "Folder that remembers the confirmed model over restarts; empty: edge_ai/model in the user's state folder, "
        "where each node has one of its own.",
    )
    trial: bool = param(
        True,
        "Load and run a new model in another process first; false saves the memory this takes for a while, but a model "
        "that crashes then crashes the node.",
    )
    trial_timeout: float = param(
        120.0, "Longest that this trial may take, and each step of loading and examining.", unit="s", ge=1, le=3600
    )
    trial_memory: int = param(
        0, "Memory that trial may use; 0: three quarters of what is free.", unit="MiB", ge=0, le=1 << 20
    )
    engine_timeout: float = param(
        1800.0,
        "How long a new model waits for its TensorRT engine to be built, where the active one has its own.",
        unit="s",
        ge=0,
        le=86400,
    )
    latency_budget: float = param(
        0.0,
        "Most that a new model may take for a frame, the median; 0: 1.2 times what the active one takes.",
        unit="s",
        ge=0,
        le=60,
        live=True,
    )
    agreement: float = param(
        0.7,
        "Least agreement with the active model on live frames, from 0 to 1 (same answers); a better one differs, too.",
        ge=0,
        le=1,
        live=True,
    )
    shadow_frames: int = param(
        30, "Live frames on which a new model is compared before it is ready; 0: none.", ge=0, le=100000, live=True
    )
    shadow_timeout: float = param(
        60.0, "How long to wait for so many; fewer by then is not enough to judge.", unit="s", ge=1, le=3600, live=True
    )
    shadow_share: float = param(
        0.2, "Share of the time in which the model that only watches may run.", ge=0.01, le=1, live=True
    )
    ready_timeout: float = param(
        3600.0, "A model that is ready and not switched to is given up after this time.", unit="s", ge=1, live=True
    )
    probation: float = param(
        30.0, "How long the model before stands by after a switch.", unit="s", ge=0.1, le=86400, live=True
    )
    probation_frames: int = param(
        30, "Frames a new model must have answered to be confirmed, however long that takes.", ge=1, live=True
    )
    probation_errors: int = param(
        0, "Frames it may fail to answer, where the model before can.", ge=0, le=100000, live=True
    )
    deadline: float = param(
        0.0,
        "During probation a frame that takes longer is answered by the model before; 0: ten times the latency budget, "
        "0.25 s at least.",
        unit="s",
        ge=0,
        le=60,
        live=True,
    )
