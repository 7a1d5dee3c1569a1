"""From image to tensor and from tensor to detections."""
