"""The whole robot in one process with all that watches it: monitor, ladder, dashboard, flight recorder."""
