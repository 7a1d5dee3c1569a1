"""The page as an ASGI application. starlette is imported where it is used: a robot without a page needs none."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.auth import Gate
from edge_ai.dashboard.guard import KNOWN, Guard
from edge_ai.dashboard.pages import Page, login_page, pages, welcome
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.pictures import Pictures
from edge_ai.dashboard.state import Act, Board
from edge_ai.dashboard.updates import updates
from edge_ai.monitoring.endpoint import PATHS, answer
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

_MOST_VIEWERS = 16
_PATIENCE = 10.0  # s that a request waits for a picture
_LONGEST_FORM = 4096
_FRESH = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)

Endpoint = Callable[["Request"], Awaitable["Response"]]


@dataclass(frozen=True)
class Site:
    """What the application serves.

    Attributes:
        params: its parameters.
        board: what is shown.
        gate: who may look.
        metrics: for Prometheus, if any.
        health: for /readyz, if any.
        pictures: drawn from the board's.
        ended: whether viewers are to be sent away.
    """

    params: DashboardParams
    board: Board
    gate: Gate
    metrics: Metrics | None
    health: Health | None
    pictures: Pictures
    ended: Callable[[], bool]


def application(site: Site) -> ASGIApp:
    """Everything, behind the gate.

    Raises:
        ImportError: starlette is missing.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    board = site.board
    acts: dict[str, tuple[str, Callable[[], Act | None]]] = {
        "/stop": ("emergency stop", lambda: board.on_stop),
        "/reset": ("release of the emergency stop", lambda: board.on_reset),
        "/record": ("flight recorder", lambda: board.on_record),
    }
    routes = [
        *(Route(path, _page(page)) for path, page in pages().items()),
        Route("/events", _Events(site).respond),
        Route("/frame.jpg", _frame(site)),
        Route("/login", _login(site), methods=["POST"]),
        *(Route(path, _act(what, find), methods=["POST"]) for path, (what, find) in acts.items()),
        *(Route(path, _health(site)) for path in PATHS),
    ]
    return Guard(Starlette(routes=routes), site.gate)


def _page(page: Page) -> Endpoint:
    async def respond(request: Request) -> Response:
        from starlette.responses import Response

        headers = {"ETag": page.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == page.tag:
            return Response(status_code=304, headers=headers)
        return Response(page.body, media_type=page.media_type, headers=headers)

    return respond


class _Events:
    """The board as a stream, for so many at a time."""

    def __init__(self, site: Site) -> None:
        self._site, self._viewers = site, 0

    async def respond(self, request: Request) -> Response:
        from starlette.responses import Response, StreamingResponse

        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_FRESH)
        if self._viewers >= _MOST_VIEWERS:
            return Response(f"{self._viewers} viewers already\n", 503, {"Retry-After": "10"})
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=_FRESH)

    async def _stream(self) -> AsyncIterator[bytes]:
        site = self._site
        self._viewers += 1
        try:
            async for event in updates(site.board, 1 / site.params.update_rate, site.ended):
                yield event
        finally:
            self._viewers -= 1


def _frame(site: Site) -> Endpoint:
    async def respond(request: Request) -> Response:
        from starlette.responses import Response

        after = request.query_params.get("after", "0")
        picture = await site.pictures.after(int(after) if after.isdecimal() and len(after) < 16 else 0, _PATIENCE)
        if picture is None:
            return Response(status_code=204, headers=_FRESH)
        headers = {**_FRESH, "X-Frame-Number": str(picture.number)}
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    return respond


def _act(what: str, find: Callable[[], Act | None]) -> Endpoint:
    async def respond(_: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        act = find()
        if act is None:
            return JSONResponse({"message": f"there is no {what} here"}, 404)
        try:
            words = await run_in_threadpool(act)
        except EdgeAIError as error:
            return JSONResponse({"message": str(error)}, 409)
        except Exception as error:
            _log.exception("%s, asked for on the dashboard", what)
            return JSONResponse({"message": f"{type(error).__name__}: {error}"}, 500)
        return JSONResponse({"message": words or ""})

    return respond


def _login(site: Site) -> Endpoint:
    async def respond(request: Request) -> Response:
        from starlette.responses import Response

        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LONGEST_FORM:
                return Response(status_code=413)
        fields = parse_qs(body.decode("utf-8", "replace"))
        if not site.gate.is_token(fields.get("token", [""])[0].strip()):
            return login_page("That is not the token.")
        return welcome(site.gate.cookie(secure=request.scope["scheme"] == "https"))

    return respond


def _health(site: Site) -> Endpoint:
    async def respond(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response

        path, accept = request.scope["path"], request.headers.get("accept", "")
        said = await run_in_threadpool(answer, path, accept, metrics=site.metrics, health=site.health)
        # Whoever has not shown the token learns whether, not why.
        body = said.body if request.scope[KNOWN] else b""
        return Response(body, said.status, {**_FRESH, "Content-Type": said.content_type})

    return respond
