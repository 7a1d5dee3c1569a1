"""The benchmarks are programs beside the package, not part of it: put them where tests can import them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
