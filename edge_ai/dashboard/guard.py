"""What every request passes before the application sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_ai.dashboard.auth import Gate
from edge_ai.dashboard.pages import login_page, welcome

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KNOWN = "edge_ai.known"
"""In the scope: whether whoever asks has shown the token, or none is needed."""

_OPEN = ("/livez", "/readyz", "/style.css", "/login")
_SAFE = ("GET", "HEAD")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets through what the gate allows, answers the rest itself, and tells browsers to be careful with our pages.

    Args:
        app: behind it.
        gate: judges.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI wants it."""
        from starlette.datastructures import MutableHeaders
        from starlette.requests import Request

        if scope["type"] != "http":
            return

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        request = Request(scope)
        scope[KNOWN] = self._gate.knows(request.headers)
        refused = self._refusal(request)
        await (refused or self._app)(scope, receive, careful)

    def _refusal(self, request: Request) -> Response | None:
        # Not `request.url`: older starlettes make that of the Host header, which whoever asks may choose.
        headers, path, scheme, gate = request.headers, request.scope["path"], request.scope["scheme"], self._gate
        if not gate.known_host(headers.get("host", "")):
            return _words(421, "this robot is not known by that name; its parameter 'hosts' takes others")
        if request.method not in _SAFE and not gate.own_page(headers, scheme, form=path == "/login"):
            return _words(403, "only this robot's own page may do that")
        if path == "/" and request.method in _SAFE and "token" in request.query_params:
            if gate.is_token(request.query_params["token"]):
                return welcome(gate.cookie(secure=scheme == "https"))
            return login_page("That is not the token.")
        if request.scope[KNOWN] or path in _OPEN:
            return None
        return login_page() if path == "/" else _words(401, "a token is needed", {"WWW-Authenticate": "Bearer"})


def _words(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(f"{words}\n", status, headers, media_type="text/plain")
