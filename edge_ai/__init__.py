"""On-robot inference: camera, detector, control and monitor, with or without ROS 2.

Everything outside :mod:`edge_ai.nodes` runs without ROS.
"""

from pkgutil import extend_path

# The generated edge_ai.msg and edge_ai.srv lie in the install folder, our modules perhaps in the source tree.
__path__ = extend_path(__path__, __name__)

__version__ = "0.1.0"
