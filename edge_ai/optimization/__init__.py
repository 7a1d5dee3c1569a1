"""Making models smaller and faster, and knowing what they cost."""
