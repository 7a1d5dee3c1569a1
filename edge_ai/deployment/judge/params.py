"""What counts as worse, and how sure the judge has to be."""

from __future__ import annotations

from edge_ai.core.params import Params, param


class JudgeParams(Params):
    """How the canary is compared with the stable group."""

    alpha: float = param(0.02, "Greatest chance to reject a release that is not worse.", ge=1e-6, le=0.5)
    beta: float = param(0.02, "Greatest chance to promote a release that is worse than tolerated.", ge=1e-6, le=0.5)
    rate_tolerance: float = param(
        0.01, "How much greater the canary's share of bad events may be than the stable group's.", ge=1e-5, le=0.5
    )
    value_tolerance: float = param(
        0.1, "How much greater the canary's values may be, as a share of the stable group's.", ge=0, le=10
    )
    effect_tolerance: float = param(
        0.25,
        "How many more of the canary's values, less `value_tolerance`, may be beyond a quantile of the stable group's, "
        "in standard deviations of being beyond it.",
        ge=0.01,
        le=2,
    )
    tail_tolerance: float = param(
        0.05,
        "The same as a share of the values, where that is more: what is rarer is not seen.",
        ge=1e-4,
        le=0.5,
    )
    frame_block: int = param(
        30, "Frames in a row that count as one, since they fail together; requests of many robots: 1.", ge=1, le=100_000
    )
    value_block: int = param(1, "Values, or pairs of values, in a row that count as one.", ge=1, le=1000)
    least_windows: int = param(3, "Windows of each metric before a release can be promoted.", ge=1, le=1000)
