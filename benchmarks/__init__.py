"""Measurements of this package, one topic a file or folder: `make bench`, `make bench ONLY=pipeline QUICK=1`."""
