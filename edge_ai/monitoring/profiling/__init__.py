"""Where the time goes: statistics that are always on, spans and stacks on demand."""
