"""How the operating system and the interpreter treat this process: no ROS, no models."""
