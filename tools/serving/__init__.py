"""A real inference server on this machine, for tests, the demo and the benchmark."""
