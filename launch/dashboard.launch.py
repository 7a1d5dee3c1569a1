"""The dashboard alone, of the nodes of its namespace; bring it up with a lifecycle manager or `ros2 lifecycle set`."""

from launch import LaunchDescription

from edge_ai.nodes.launching import alone


def generate_launch_description():
    return LaunchDescription(alone("dashboard"))
