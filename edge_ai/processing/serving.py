"""The part of a model card that says how a server serves the model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_ai.processing.card_part import CardPart

InputKind = Literal["jpeg", "image", "tensor"]
"""What a client sends: a JPEG file, an image, or the model's own input, which it has prepared itself."""
AnswerKind = Literal["detections", "tensors"]
DETECTIONS = {"boxes": "FP32", "scores": "FP32", "class_ids": "INT32"}
"""Outputs of a server that finds boxes by itself, and their types."""
SERVICE = "service_seconds"
"""FP32 output of one element, or parameter of an answer, in which a server may say how long it worked."""


class ServingSpec(CardPart):
    """Which model of a server it is, what is sent to it and what it answers with.

    What is left at "auto" is read from the server's metadata.
    """

    model: str = Field("", description="its name on the server; empty: the card's name")
    version: str = Field("", description="its version there, in quotes; empty: the server's choice")
    input: Literal["auto", "jpeg", "image", "tensor"] = Field("auto", description="what is sent")
    answers: Literal["auto", "detections", "tensors"] = Field("auto", description="what comes back")
