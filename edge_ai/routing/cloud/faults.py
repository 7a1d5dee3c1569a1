"""What the libraries and servers say when something fails, in our own errors."""

from __future__ import annotations

import ssl

from edge_ai.routing.cloud.base import (
    CloudAnswerError,
    CloudAuthError,
    CloudBusyError,
    CloudError,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
)

_GRPC: dict[str, type[CloudError]] = {
    "CANCELLED": CloudUnreachableError,
    "DEADLINE_EXCEEDED": CloudTimeoutError,
    "RESOURCE_EXHAUSTED": CloudBusyError,
    "UNAVAILABLE": CloudBusyError,
    "UNAUTHENTICATED": CloudAuthError,
    "PERMISSION_DENIED": CloudAuthError,
    "INVALID_ARGUMENT": CloudRequestError,
    "OUT_OF_RANGE": CloudRequestError,
    "NOT_FOUND": CloudRequestError,
    "UNIMPLEMENTED": CloudRequestError,
    "FAILED_PRECONDITION": CloudRequestError,
}
_HTTP: dict[int, type[CloudError]] = {
    400: CloudRequestError,
    401: CloudAuthError,
    403: CloudAuthError,
    404: CloudRequestError,
    405: CloudRequestError,
    407: CloudAuthError,
    408: CloudTimeoutError,
    413: CloudRequestError,
    415: CloudRequestError,
    422: CloudRequestError,
    429: CloudBusyError,
    502: CloudUnreachableError,
    503: CloudBusyError,
    504: CloudTimeoutError,
}
# gRPC gives a connection that failed and a server that refuses the same status; only words tell them apart.
_CONNECTION = (
    "connect",
    "socket closed",
    "resolving",
    "resolver",
    "recvmsg",
    "sendmsg",
    "goaway",
    "endpoint clos",
    "handshake",
    "rst_stream",
    "stream removed",
    "broken pipe",
    "keepalive",
    "transport",
)
_TLS = ("ssl routines", "certificate", "hostname verification", "peer name")
_AUTH_MEND = "check 'ca_file', 'cert_file' and 'key_file', the token, and the server's certificate"
_REACH_MEND = "check that the server runs and that 'url' is right"
_CLIENT_CERTIFICATE = "check that the server runs; without the certificate of ours that it may want, it hangs up"


def from_grpc(server: str, status: str, message: str, *, secure: bool = False) -> CloudError:
    """The error for a call over gRPC that failed.

    Args:
        server: name of the endpoint.
        status: gRPC's, with or without "StatusCode." before it.
        message: what came with it.
        secure: whether the connection uses TLS.
    """
    status = status.removeprefix("StatusCode.")
    words, low = shortened(message), message.lower()
    kind = _GRPC.get(status, CloudAnswerError)
    if status in ("UNAVAILABLE", "INTERNAL", "UNKNOWN") and any(sign in low for sign in _CONNECTION):
        kind = CloudAuthError if any(sign in low for sign in _TLS) else CloudUnreachableError
    if status == "RESOURCE_EXHAUSTED" and "larger than max" in low:
        kind = CloudAnswerError
    return kind(f"server {server}", got=f"{status}: {words}", mend=_mend(kind, secure=secure))


def from_http(server: str, status: int, message: str) -> CloudError:
    """The error for an answer over HTTP whose status is not 200."""
    kind = _HTTP.get(status, CloudAnswerError if status >= 500 else CloudRequestError)
    low = message.lower()
    if status in (400, 500) and ("timeout expired" in low or "exceeds maximum queue size" in low):
        kind = CloudBusyError
    return kind(f"server {server}", got=f"HTTP {status}: {shortened(message)}", mend=_mend(kind))


def from_connection(server: str, error: BaseException, *, secure: bool = False) -> CloudError:
    """The error for a connection that could not be made or that broke."""
    tls = tls_reason(error)
    kind = CloudAuthError if tls else CloudUnreachableError
    words = tls or shortened(str(error) or type(error).__name__)
    return kind(f"server {server}", got=words, mend=_mend(kind, secure=secure))


def tls_reason(error: BaseException | None) -> str:
    """What TLS has against the other side, if that is why a connection failed; else empty."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        # aiohttp wraps such errors in classes that inherit from them and know nothing.
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        if isinstance(error, ssl.SSLCertVerificationError) and inner is None:
            return f"a certificate that fails the check: {getattr(error, 'verify_message', 'refused')}"
        hung_up = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
        if isinstance(error, ssl.SSLError) and inner is None and not hung_up:
            return f"TLS: {getattr(error, 'reason', None) or error.strerror or 'refused'}"
        error = inner or error.__cause__ or error.__context__
    return ""


def shortened(text: str, most: int = 300) -> str:
    """Words of a server as they fit into a line of ours."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return (line if len(line) <= most else f"{line[:most]}...") or "no words"


def _mend(kind: type[CloudError], *, secure: bool = False) -> str:
    if kind is CloudAuthError:
        return _AUTH_MEND
    if kind is CloudUnreachableError:
        return _CLIENT_CERTIFICATE if secure else _REACH_MEND
    return ""
