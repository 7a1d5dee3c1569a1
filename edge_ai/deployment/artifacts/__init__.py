"""Model, card, engine, parameters and report as one signed set, and what a robot demands of one before it is used."""
