"""The files of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_UNSEEN = ("login.html",)

_WELCOME = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>edge_ai</title>'


@dataclass(frozen=True, slots=True)
class Page:
    """One file; the tag changes with its content."""

    body: bytes
    media_type: str
    tag: str


def pages() -> Mapping[str, Page]:
    """Every file by its path on the server."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES and path.name not in _UNSEEN:
            body = path.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            found["/" if path.name == "index.html" else f"/{path.name}"] = Page(body, _TYPES[path.suffix], tag)
    return found


def login_page(fault: str = "") -> Response:
    """Asks for the token."""
    from starlette.responses import HTMLResponse

    text = (_FOLDER / "login.html").read_text().replace("<!--fault-->", escape(fault))
    return HTMLResponse(text, 401, {"Cache-Control": "no-store"})


def welcome(cookie: str) -> Response:
    """Gives the cookie and goes to the page.

    No redirect: after a link in a mail the browser would follow it as that mail's, without the strict cookie.
    """
    from starlette.responses import HTMLResponse

    return HTMLResponse(_WELCOME, 200, {"Set-Cookie": cookie, "Cache-Control": "no-store"})
