"""What the doubles of TensorRT, cuda-bindings and pycuda share: one pretended GPU a process.

Its make and its faults come from environment variables, see `settings`; `configure` changes them in a running process.
"""

from edge_ai_doubles.settings import configure as configure
