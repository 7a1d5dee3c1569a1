"""What a model takes, what it costs, and which engines run it."""
