"""A replay as one HTML file: figures, and the pictures that differ most, as they were answered then and now."""

from __future__ import annotations

import base64
import html
import math
from typing import Any

import cv2

from edge_ai.core.types import Image, Result
from edge_ai.processing.draw import annotate
from edge_ai.processing.image import to_channels
from edge_ai.processing.jpeg import to_jpeg
from edge_ai.recording.replay import Case, Replay

_WIDTH = 640
_RED, _AMBER = (48, 40, 208), (0, 160, 255)
_STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1a1e24; --dim: #5a6472; --line: #dde2e8; }
@media (prefers-color-scheme: dark) { :root { --ground: #111418; --card: #191d23; --ink: #e7eaee; --dim: #9ba5b2;
  --line: #2d343d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 1.6rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
p { margin: .2rem 0; } .dim, th, figcaption { color: var(--dim); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem;
  margin-top: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); gap: .8rem; }
.tiles b { display: block; font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 500; font-size: .87rem; } tr:last-child td { border-bottom: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: .8rem; }
figure { margin: 0; } figcaption { font-size: .87rem; } img { width: 100%; border-radius: 6px; display: block; }
.red { color: #d02830; } .amber { color: #c87a00; }
"""


def page(replay: Replay, recording: str, model: str) -> str:
    """The page.

    Args:
        replay: what came of it.
        recording: its name.
        model: name of the model that answers now.
    """
    figures = replay.summary()
    was = ", ".join(figures["recorded_models"]) or "nothing recorded"
    parts = [
        f"<h1>{html.escape(recording)}</h1>",
        f'<p class="dim">recorded: {html.escape(was)}; now: {html.escape(model)}</p>',
        _tiles(figures),
        _classes(figures),
        *(_case(case) for case in replay.worst),
    ]
    title = f"<title>{html.escape(recording)}</title><style>{_STYLE}</style>"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{title}'
    return f"<!doctype html><html lang=en><head>{head}</head><body><main>{''.join(parts)}</main></body></html>\n"


def _tiles(figures: dict[str, Any]) -> str:
    tiles = {
        "pictures compared": f"{figures['compared']} of {figures['pictures']}",
        "without a difference": figures["same"],
        "found by both": figures["both"],
        "only recorded": figures["missed"],
        "only now": figures["added"],
        "mean IoU": _number(figures["mean_overlap"], "{:.3f}"),
        "mean change of score": _number(figures["mean_score_change"], "{:+.3f}"),
        "median time now": _number(figures["inference_ms"], "{:.1f} ms"),
    }
    cells = "".join(f'<div><span class="dim">{name}</span><b>{value}</b></div>' for name, value in tiles.items())
    return f'<section class="tiles">{cells}</section>'


def _classes(figures: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{one['both']}</td><td>{one['missed']}</td><td>{one['added']}</td></tr>"
        for name, one in figures["classes"].items()
    )
    head = "<tr><th>class</th><th>both</th><th>only recorded</th><th>only now</th></tr>"
    return f"<section><h2>Classes</h2><table>{head}{rows}</table></section>" if rows else ""


def _case(case: Case) -> str:
    found = case.difference
    image = to_channels(case.frame.image, case.frame.encoding, "bgr")
    then = _picture(image, case.recorded, found.missed, _RED)
    now = _picture(image, case.new, found.added, _AMBER)
    return (
        f"<section><h2>Picture {case.frame.header.index}</h2><div class=pair>"
        f"<figure>{then}<figcaption>then; <span class=red>not found now: {len(found.missed)}</span></figcaption>"
        f"</figure><figure>{now}<figcaption>now; <span class=amber>new: {len(found.added)}</span></figcaption>"
        "</figure></div></section>"
    )


def _picture(image: Image, result: Result, marked: tuple[int, ...], colour: tuple[int, int, int]) -> str:
    drawn: Any = annotate(image, result)
    for i in marked:
        x1, y1, x2, y2 = (round(float(value)) for value in result.detections.boxes[i])
        cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, max(3, image.shape[1] // 160))
    if drawn.shape[1] > _WIDTH:
        drawn = cv2.resize(
            drawn, (_WIDTH, round(drawn.shape[0] * _WIDTH / drawn.shape[1])), interpolation=cv2.INTER_AREA
        )
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(to_jpeg(drawn, 82)).decode()}">'


def _number(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else "-"
