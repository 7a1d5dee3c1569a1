"""What the robot's computer is, what it can do, and which one to buy."""
