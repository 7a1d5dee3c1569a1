"""A new release on some robots first: stages, criteria, promotion and rollback, and a log of why."""
