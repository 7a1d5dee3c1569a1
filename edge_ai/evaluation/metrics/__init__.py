"""How answers are judged: one file a metric."""
