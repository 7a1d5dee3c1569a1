"""Topic `pipeline`: what the robot adds to a bare loop, how old its commands grow under load, what DDS costs."""
