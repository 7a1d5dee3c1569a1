"""The part of a model card that says how a server serves the model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_ai.processing.card_part import CardPart

InputKind = Literal["jpeg", "image", "tensor"]
AnswerKind = Literal["detections", "tensors"]


class ServingSpec(CardPart):
    """Which model of a server it is, what is sent to it and what it answers with.

    What is left at "auto" is read from the server's metadata.
    """

    model: str = Field("", description="its name on the server; empty: the card's name")
    version: str = Field("", description="its version there, in quotes; empty: the server's choice")
    input: Literal["auto", "jpeg", "image", "tensor"] = Field("auto", description="what is sent")
    answers: Literal["auto", "detections", "tensors"] = Field("auto", description="what comes back")
