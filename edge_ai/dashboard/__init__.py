"""The page that the robot serves."""
