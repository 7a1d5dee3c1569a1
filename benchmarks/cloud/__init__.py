"""Topic `cloud`: what routing costs, how good it is on replayed traces, what happens when the cloud dies."""
