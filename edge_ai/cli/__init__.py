"""The edge-ai command."""
