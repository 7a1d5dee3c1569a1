"""From image to tensor and from tensor to what a model says of the image."""
