"""Exit status 0 while the robot is ready, for a container's health check: python3 health.py [/livez]"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

path = sys.argv[1] if len(sys.argv) > 1 else "/readyz"
port = os.environ.get("EDGE_AI_METRICS_PORT", "9464")
try:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2.0) as answer:
        print(answer.read().decode().strip())  # noqa: T201 - it is for `docker inspect`
except urllib.error.HTTPError as error:
    sys.exit(error.read().decode().strip())
except OSError as error:
    sys.exit(f"the monitor does not answer at port {port}: {error}")
