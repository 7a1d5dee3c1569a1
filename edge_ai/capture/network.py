"""Why a network camera does not answer: OpenCV does not say."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def reason_for_silence(url: str, timeout_s: float = 2.0) -> str:
    """In words, what stands in the way of a stream that could not be opened; tries the server's TCP port once."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError as error:
        return f"a URL that cannot be understood: {error}"
    if not host or not port:
        return "a URL without a host"
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as error:
        return f"no connection to {host} port {port}: {error.strerror or error}"
    return f"{host} port {port} answers but gives no video: check path, user name and password"
