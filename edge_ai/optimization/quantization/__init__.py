"""INT8 and FP16, and what each layer makes of it."""
