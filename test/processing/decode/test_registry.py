"""The table of families, and joining it from outside."""

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.registry import Registry
from edge_ai.processing.decode.base import Decoder
from edge_ai.processing.decode.registry import DECODERS


def test_every_line_leads_to_a_decoder_whose_options_know_their_family():
    for name in DECODERS.names():
        decoder = DECODERS.load(name)
        assert issubclass(decoder, Decoder)
        assert decoder.OPTIONS.model_fields["family"].description == f"`{name}`"
        assert decoder.ROLES


def test_an_unknown_family_names_those_known():
    assert isinstance(DECODERS, Registry)
    with pytest.raises(EdgeAIError, match="unknown decoder family: got 'yolov9000'; wanted one of nanodet, yolov5"):
        DECODERS.load("yolov9000")
