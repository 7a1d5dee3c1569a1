"""Topic `realtime`: how near the pipeline comes to the limit of the machine, and how far ahead of its peers it is."""
