"""Detections to velocities: following, stopping, limiting."""
