"""What an image costs between two processes, and how many are lost: memory kept or not, form, size of the segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from benchmarks.figures import in_ms, median
from benchmarks.goals import Goal
from benchmarks.processes import Side, nodes
from benchmarks.realtime.bench import Bench
from benchmarks.realtime.settings import hogs
from benchmarks.topic import ROOT

GOALS = {
    "lost": Goal("1920x1080 at 30 Hz to a bare reader, config/fastdds.xml: images lost, calm", None, 0, "lower"),
}
HZ = 30.0
SIZES = {"640x480": (640, 480), "1280x720": (1280, 720), "1920x1080": (1920, 1080)}
FORMS: dict[str, Mapping[str, Any]] = {
    "messages": {"form": "message", "keep": False},
    "messages, memory kept": {"form": "message", "keep": True},
    "bytes, memory kept": {"form": "bytes", "keep": True},
}
SEGMENTS = (16, 32, 64)
"""MiB; the last is what config/fastdds.xml has."""


def measure(bench: Bench) -> dict[str, float]:
    """The cost of each form, then losses by size of the shared-memory segment, calm and beside busy programs."""
    context = bench.context
    rounds = int(context.pick(1, 3))
    costs: dict[str, dict[str, list[dict[str, Any]]]] = {size: {form: [] for form in FORMS} for size in SIZES}
    for number in range(rounds):
        for size, runs in costs.items():
            for form, how in FORMS.items():
                runs[form].append(_pair(bench, size, how, count=int(context.pick(40, 90))))
            context.say(f"images {number + 1}/{rounds}: {size}: {_words(runs)}")
    lost = {
        load: {f"{mib} MiB": _losses(bench, mib, busy=load == "busy") for mib in SEGMENTS} for load in ("calm", "busy")
    }
    context.say(f"images lost of {lost['calm']['64 MiB']['sent']}: { {k: _lost(v) for k, v in lost.items()} }")
    summary = {size: {form: _summary(runs) for form, runs in forms.items()} for size, forms in costs.items()}
    bench.report.results["images"] = {"hz": HZ, "cost": summary, "segments_1920x1080": lost}
    bench.draw(
        {
            "title": "An image between two processes: processor time of the receiver",
            "unit": "ms per image",
            "legend": list(FORMS),
            "rows": [
                {"label": size, "bars": [forms[form]["receiver_cpu_ms"] for form in FORMS]}
                for size, forms in summary.items()
            ],
        }
    )
    return {"lost": lost["calm"]["64 MiB"]["lost"]}


def _pair(bench: Bench, size: str, how: Mapping[str, Any], count: int, mib: int = SEGMENTS[-1]) -> dict[str, Any]:
    """Both ends, each in a process of its own, made anew: what the allocator once took stays taken."""
    width, height = SIZES[size]
    setup = {**how, "width": width, "height": height, "rate": HZ}
    with nodes(bench.context.folder / "nodes" / "images") as stack:
        stack.env.update(_profile(bench, mib))
        receiver = Side("benchmarks.sides.images", {**setup, "role": "receive"}, bench.log, stack.env)
        sender = Side("benchmarks.sides.images", {**setup, "role": "send"}, bench.log, stack.env)
        with receiver, sender, ThreadPoolExecutor(2) as both:
            got = both.submit(receiver.measure, count=count, seconds=2 * count / HZ + 10)
            sent = both.submit(sender.measure, count=count, seconds=2 * count / HZ + 10)
            return {"receiver": got.result(), "sender": sent.result(), "sent": count}


def _losses(bench: Bench, mib: int, *, busy: bool) -> dict[str, Any]:
    count = int(bench.context.pick(60, 240))
    with hogs() if busy else nullcontext():
        one = _pair(bench, "1920x1080", FORMS["bytes, memory kept"], count, mib)
    got = one["receiver"]["got"]
    return {"sent": count, "lost": count - got, "age_ms": in_ms(one["receiver"]["ages"])}


def _profile(bench: Bench, mib: int) -> dict[str, str]:
    """config/fastdds.xml with segments of another size."""
    text = (ROOT / "config" / "fastdds.xml").read_text()
    path = bench.context.folder / f"fastdds_{mib}.xml"
    path.write_text(re.sub(r"(<(segment_size|maxMessageSize)>)\d+", rf"\g<1>{mib << 20}", text))
    return dict.fromkeys(("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"), str(path))


def _summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "receiver_cpu_ms": median([one["receiver"]["cpu_ms"] for one in runs]),
        "sender_cpu_ms": median([one["sender"]["cpu_ms"] for one in runs]),
        "receiver_rss_mib": median([one["receiver"]["rss_mib"] for one in runs]),
        "age_p50_ms": median([median(one["receiver"]["ages"]) * 1e3 for one in runs]),
        "lost": sum(one["sent"] - one["receiver"]["got"] for one in runs),
    }


def _words(runs: Mapping[str, list[dict[str, Any]]]) -> str:
    return "; ".join(f"{form} {one[-1]['receiver']['cpu_ms']:.1f} ms" for form, one in runs.items())


def _lost(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    return {mib: one["lost"] for mib, one in runs.items()}
