"""A new release beside the one that serves: started, examined, switched to, and left again if it is no good."""
