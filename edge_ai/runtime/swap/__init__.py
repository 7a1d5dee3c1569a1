"""Hot swap: a new model is examined beside the one that serves, takes over between two frames, and is watched."""
