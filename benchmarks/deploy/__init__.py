"""Topic `deploy`: what a switch to another model, server or side costs, and how well a rollout is judged."""
