"""Which frame goes to the engine next, with which others, and what becomes of the rest: no images, no models."""
