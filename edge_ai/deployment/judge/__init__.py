"""Is a new release worse than the one it stands beside? Told from few robots and few events, at any time."""
