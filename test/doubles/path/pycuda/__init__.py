"""A double of pycuda: the driver API, in which a thread without a context may do nothing."""

VERSION = (2026, 1)
