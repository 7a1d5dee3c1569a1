"""Who may look and who may press buttons."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import socket
from collections.abc import Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.params import DashboardParams

HEADER = "x-edge-ai"
"""A header that a page of another origin cannot send without being asked for permission, which it never gets."""
_LEAST_TOKEN = 16
_LOCAL = ("localhost",)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host in _LOCAL:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secret(params: DashboardParams) -> str:
    """The token that viewers need; empty: none.

    Raises:
        EdgeAIError: others could reach the page without one, it is too short, or its file cannot be read or made.
    """
    token = params.token or (_of_file(Path(params.token_file).expanduser()) if params.token_file else "")
    if not token and not is_loopback(params.host):
        raise EdgeAIError(
            "dashboard",
            got=f"host '{params.host}' and no token",
            wanted="a token, because other machines reach that address",
            mend="set token_file to a path (one is made there), or host to 127.0.0.1",
        )
    if token and len(token) < _LEAST_TOKEN:
        wanted = f"{_LEAST_TOKEN} characters or more"
        raise EdgeAIError("token of the dashboard", got=f"{len(token)} characters", wanted=wanted)
    return token


def _of_file(path: Path) -> str:
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(secrets.token_urlsafe(24) + "\n")
        lines = path.read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EdgeAIError(f"token file '{path}' of the dashboard", got=error) from None
    if not lines[0].strip():
        raise EdgeAIError(f"token file '{path}' of the dashboard", got="an empty first line", wanted="a token in it")
    return lines[0].strip()


class Gate:
    """Judges requests by their headers; knows nothing of a web server.

    Args:
        token: that viewers need; empty lets everybody in who reaches the address.
        hosts: names, besides the usual ones, under which this robot is reached; also whole origins
            ("https://robot.example") of its pages, as a proxy that speaks TLS gives them to browsers.
        port: keeps the cookies of several robots on one machine apart, as browsers do not.
    """

    def __init__(self, token: str, hosts: Collection[str], port: int) -> None:
        self._token, self._cookie_name = token.encode(), f"edge_ai_{port}"
        # Who finds a cookie does not know the token.
        self._cookie = hmac.new(self._token, b"edge_ai dashboard", hashlib.sha256).hexdigest()
        name = socket.gethostname().lower()
        self._origins = {_origin(host) for host in hosts if "://" in host}
        named = {urlsplit(host).hostname or "" if "://" in host else host.lower() for host in hosts}
        self._hosts = {*_LOCAL, name, f"{name}.local", *named} - {""}

    def known_host(self, host: str) -> bool:
        """Whether a Host header names this robot.

        A page of somebody else's domain that resolves to this machine (DNS rebinding) names that domain. An IP
        address is nobody's domain.
        """
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        name = name.strip("[]").rstrip(".").lower()
        if name in self._hosts:
            return True
        if "%" in name:  # a zone, which no browser sends, and behind which Python takes anything for part of an address
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def is_token(self, text: str) -> bool:
        """Whether this is the token; takes the same time whatever it is."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self._token)

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether whoever asks has shown the token, now or before.

        Args:
            headers: by name in lower case.
        """
        if not self._token:
            return True
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(token.strip()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self._cookie_name)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self._cookie.encode())

    def own_page(self, headers: Mapping[str, str], scheme: str, *, form: bool = False) -> bool:
        """Whether a request that changes something comes from our own page and from no other (CSRF).

        Behind a proxy that speaks TLS neither scheme nor host need be those that the browser knows: its origin must
        be among ours. Programs send no Origin; they have shown the token in a header that no foreign page can send.

        Args:
            headers: by name in lower case.
            scheme: "http" or "https", as it came here.
            form: a form cannot send headers of its own.
        """
        origin = headers.get("origin")
        if origin is None:
            return HEADER in headers and (not self._token or "authorization" in headers)
        same = origin.lower() == f"{scheme}://{headers.get('host', '')}".lower()
        return (same or origin.lower() in self._origins) and (form or HEADER in headers)

    def cookie(self, *, secure: bool) -> str:
        """The value of Set-Cookie for somebody who has shown the token."""
        words = f"{self._cookie_name}={self._cookie}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict"
        return words + "; Secure" if secure else words


def _origin(url: str) -> str:
    """As browsers write it: in lower case, without the scheme's own port and without a slash."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix({'http': ':80', 'https': ':443'}[parts.scheme])}"
