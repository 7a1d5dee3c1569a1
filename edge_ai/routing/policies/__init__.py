"""One file a policy: a pure function from a snapshot to a decision."""
