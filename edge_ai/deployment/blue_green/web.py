"""Requests to a side itself, past every proxy."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping

from edge_ai.core.errors import DeploymentError

_LARGEST = 1 << 26


def ask(url: str, timeout: float, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """What a URL answers with status 200; POST where there is a body.

    Raises:
        DeploymentError: no answer within the timeout in seconds, or one of another status; with what it says.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, dict(headers or {})), timeout=timeout) as answer:
            status, content = answer.status, bytes(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read(200)
    except (OSError, ValueError) as error:
        raise DeploymentError(url, got=getattr(error, "reason", None) or error, wanted="an answer") from None
    if status != 200:
        words = content[:200].decode("utf-8", errors="replace").strip()
        raise DeploymentError(url, got=f"status {status}{': ' + words if words else ''}", wanted="200")
    return content
