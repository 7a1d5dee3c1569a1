"""What NVIDIA's Python libraries offer, read from their wheels on a machine without a GPU."""
