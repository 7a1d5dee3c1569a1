"""Topic `cloud`: what a routing decision costs, how good it is on replayed traces, and what happens when the cloud dies."""
