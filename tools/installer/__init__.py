"""What tools/bootstrap.py is made of; the standard library only, since nothing else is there yet."""
