"""Variants beside their original: the same pictures, the same minutes of the machine, one budget."""
