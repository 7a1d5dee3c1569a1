"""The demo of edge and cloud: real video, a real Triton, and a link between them that degrades, dies and comes back.

Writes plot.png, summary.json and answers.csv to out/demo-cloud/. See `make demo-cloud` in the README.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_cloud_record import Phase, Record, summary, table
from demo_cloud_robot import POLL, Seen, look, robot_of, wait_for_cloud
from demo_video import NoVideoError, demo_source
from impairment.proxy import TcpProxy
from impairment.schedule import Conditions
from installer.console import SetupError, Step
from serving.repository import shipped_repository
from serving.server import TritonServer

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ("plot.png", "summary.json", "answers.csv")


@dataclass(frozen=True)
class Act:
    """What happens to the link, for how many seconds."""

    name: str
    detail: str
    seconds: float
    conditions: Conditions


GOOD = Conditions(delay=0.002)
ACTS = (
    Act("good", "2 ms each way", 7, GOOD),
    Act("far", "25 ms each way, 10 ms jitter", 8, Conditions(delay=0.025, jitter=0.010)),
    Act("slow", "50 ms each way, 5 % lost, 200 kbit/s", 8, Conditions(delay=0.05, loss=0.05, rate=25_000)),
    Act("good again", "2 ms each way", 8, GOOD),
    Act("dead", "nothing gets through", 10, Conditions(blackhole=True)),
    Act("back", "2 ms each way", 14, GOOD),
)
# A model in the cloud that is a little better, and a breaker that tries a dead server every few seconds.
ROUTING: dict[str, Any] = {
    "policy": "cost",
    "deadline": 0.3,
    "edge_accuracy": 0.5,
    "cloud_accuracy": 0.6,
    "breaker_longest": 3.0,
}


def main() -> int:
    """Run the demo; the exit status."""
    parser = argparse.ArgumentParser(prog="demo_cloud.py", description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="", help="video file; default a video of its own")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "demo-cloud", help="folder for what it writes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in WRITTEN:  # what an earlier run left must not pass for this one's
        (out / name).unlink(missing_ok=True)
    try:
        return run(options.source, out)
    except (SetupError, NoVideoError, OSError, TimeoutError) as error:
        print(f"\ndemo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo interrupted", file=sys.stderr)
        return 130


def run(source: str, out: Path) -> int:
    """Serve, record, report; the exit status."""
    began = time.monotonic()
    if not source:
        step = Step("video")
        source = demo_source(ROOT / "out" / "data", step.tell)
        step.done(os.path.relpath(source))
    step = Step("starting Triton")
    repository = shipped_repository(out / "models", ("jpeg",))
    with TritonServer(repository, log=out / "triton.log") as server:
        step.done(f"serves {', '.join(server.models)} at {server.grpc}")
        with TcpProxy("127.0.0.1", server.grpc_port) as proxy:
            record, facts = play(source, proxy)
    numbers = summary(record, {"video": os.path.basename(source), "server": "Triton, gRPC, JPEG", **facts})
    numbers["seconds"] = round(time.monotonic() - began, 1)
    return report(record, numbers, out)


def play(source: str, proxy: TcpProxy) -> tuple[Record, dict[str, Any]]:
    """Let the robot see the video while the link has its moods; what came of it, and what it was run with."""
    from edge_ai.routing.params import RouterParams

    params = RouterParams(**ROUTING)
    seen = Seen(Record(params.deadline))
    proxy.set(GOOD)
    with robot_of(source, f"grpc://127.0.0.1:{proxy.port}", params, seen) as robot:
        step = Step("a first answer of the server")
        wait_for_cloud(robot)
        step.done(robot.description)
        step, at = Step("recording"), 0.0
        seen.begin()
        for act in ACTS:
            proxy.set(act.conditions)
            seen.record.phases.append(Phase(act.name, act.detail, at, at + act.seconds))
            at += act.seconds
            while seen.now() < at:
                look(robot, seen)
                step.tell(f"link {act.name}: {len(seen.record.answers)} results")
                time.sleep(POLL)
        seen.end()
        time.sleep(params.deadline + POLL)  # for what is still under way
        look(robot, seen)
        step.done(f"{len(seen.record.answers)} results of {len(seen.record.frames)} frames")
        return seen.record, {"policy": params.policy, "robot": robot.description}


def report(record: Record, numbers: dict[str, Any], out: Path) -> int:
    """Write and print all; the exit status."""
    from demo_cloud_plot import draw

    draw(record, out / "plot.png", "Edge and cloud as one system: a link that degrades, dies and comes back")
    (out / "summary.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    with (out / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("captured_s", "ms", "side", "reason"))
        rows.writerows((f"{a.captured:.3f}", f"{a.seconds * 1e3:.1f}", a.side, a.reason) for a in record.answers)
    print(f"\n{table(numbers)}\n")
    for name, what in (("plot.png", "picture"), ("summary.json", "numbers"), ("answers.csv", "each result")):
        print(f"  {what:<12}{min(os.path.relpath(out / name), str(out / name), key=len)}")
    return 0 if all(numbers["holds"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
