"""The router alone; it moves nobody: the inference node must have cameras:=[edge]."""

from launch import LaunchDescription

from edge_ai.nodes.launching import alone


def generate_launch_description():
    return LaunchDescription(alone("router"))
