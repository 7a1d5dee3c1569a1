"""Is the new group worse than the old one? Decided as evidence comes, with stated rates of error."""
