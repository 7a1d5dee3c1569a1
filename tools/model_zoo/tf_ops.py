"""Which function converts which TensorFlow operation."""

from __future__ import annotations

from model_zoo import tf_arithmetic, tf_pictures, tf_shapes
from model_zoo.tf_graph import Converter

CONVERTERS: dict[str, Converter] = {**tf_arithmetic.CONVERTERS, **tf_pictures.CONVERTERS, **tf_shapes.CONVERTERS}
