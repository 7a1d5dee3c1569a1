"""Watching the machine and the nodes."""
