"""Bringing new models and new releases onto robots, and taking them back: what is signed, judged, switched and undone."""
