"""Who answers a frame: this robot or a server, decided frame by frame, with the reason."""
