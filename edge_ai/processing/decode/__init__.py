"""Decoders: one file a model family."""
