"""What tools/containers.py is made of: an engine of our own, its base image, what a robot in it must show."""
