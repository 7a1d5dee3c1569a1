"""Our TensorRT backend against NVIDIA's own tool on the same engine; needs an NVIDIA GPU with TensorRT."""
