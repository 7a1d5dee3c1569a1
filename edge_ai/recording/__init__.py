"""The flight recorder: the last seconds before and the first ones after something went wrong, as MCAP."""
