"""The parts of a model card that say what goes into a model and how its boxes are thinned out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_ai.processing.card_part import FROM_LIST, CardPart

Pixels = Annotated[int, Field(ge=1, le=8192)]
Size = Annotated[tuple[Pixels, Pixels], FROM_LIST]
PerChannel = Annotated[tuple[float, ...], Field(min_length=1, max_length=3), FROM_LIST]

COLORS = {"bgr": 3, "rgb": 3, "gray": 1}


class InputSpec(CardPart):
    """The one image a model takes: value = (pixel * scale - mean) / std, channel by channel.

    Lists of one number hold for all channels; otherwise they follow the order of ``color``.
    """

    name: str = Field(min_length=1, description="name of the model's input tensor")
    layout: Literal["nchw", "nhwc"] = Field(description="order of its axes")
    dtype: Literal["float32", "float16", "uint8", "int32"] = Field("float32", description="its element type")
    size: Size = Field(description="[width, height] in pixels")
    color: Literal["bgr", "rgb", "gray"] = Field(description="order of its channels")
    resize: Literal["letterbox", "stretch"] = Field("letterbox", description="keep the proportions, or do not")
    align: Literal["center", "top_left"] = Field("center", description="where a letterboxed picture lies")
    pad_value: int = Field(114, ge=0, le=255, description="grey level of a letterbox's border, as a pixel")
    scale: float = Field(1.0, gt=0, description="first step: each 0..255 pixel is multiplied by this")
    mean: PerChannel = Field((0.0,), description="second step: this is subtracted")
    std: PerChannel = Field((1.0,), description="third step: divided by this")

    @property
    def channels(self) -> int:
        """Number of channels: 3, or 1 for gray."""
        return COLORS[self.color]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the input tensor for one image."""
        width, height = self.size
        if self.layout == "nchw":
            return (1, self.channels, height, width)
        return (1, height, width, self.channels)

    @model_validator(mode="after")
    def _consistent(self) -> InputSpec:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(f"'{name}' has {len(values)} numbers, wanted 1 or {self.channels} for {self.color}")
        if min(self.std) <= 0:
            raise ValueError("'std' must be positive")
        if self.dtype in ("uint8", "int32") and (self.scale != 1 or any(self.mean) or set(self.std) != {1.0}):
            article = "a uint8" if self.dtype == "uint8" else "an int32"
            raise ValueError(f"{article} input takes pixels as they are: leave out 'scale', 'mean' and 'std'")
        return self


class NmsSpec(CardPart):
    """Non-maximum suppression: of boxes that overlap, the best one stays."""

    iou: float = Field(0.5, gt=0, le=1, description="overlap (intersection over union) above which one box goes")
    class_agnostic: bool = Field(False, description="boxes of different classes suppress each other too")
    max_detections: int = Field(100, ge=1, le=1000, description="at most this many detections an image")
