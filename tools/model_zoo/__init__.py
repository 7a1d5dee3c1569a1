"""Real models from package registries, converted to ONNX; `tools/models.py` is the program."""
