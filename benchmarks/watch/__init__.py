"""Topic `watch`: what it costs the robot to watch itself, and what comes of it."""
