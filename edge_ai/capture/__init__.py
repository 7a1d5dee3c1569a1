"""Camera sources: where frames come from."""
