"""Sources of metrics, one file each."""
