"""Bringing new models and releases onto robots, and taking them back: what is signed, judged, switched and undone."""
