"""Links that are slow, lossy, narrow or dead on demand: a TCP proxy for anyone, a real IP link for root."""
