"""Made by edge-ai serve-repository. EDGE_AI_SITE names folders with edge_ai where it is not installed."""

import os
import sys

sys.path[:0] = [folder for folder in os.environ.get("EDGE_AI_SITE", "").split(os.pathsep) if folder]

from edge_ai.runtime.triton_model import TritonModel as TritonPythonModel  # noqa: E402, F401
