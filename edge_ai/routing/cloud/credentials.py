"""Who we are and whom we trust: certificates and tokens, which appear in no log, error or repr."""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path

from edge_ai.core.errors import ParameterError
from edge_ai.routing.cloud.base import CloudAuthError
from edge_ai.routing.cloud.endpoint import Endpoint
from edge_ai.routing.params import CloudParams


class Credentials:
    """Certificates and token for one server; files are read when they are needed, not before. Thread-safe.

    Args:
        params: which files and which environment variable.
        endpoint: the server they are for.

    Raises:
        ParameterError: a token would travel in the clear, or certificates are given for a connection without TLS.
    """

    def __init__(self, params: CloudParams, endpoint: Endpoint) -> None:
        self._params = params
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._token = ""
        tokens = params.token_file or params.token_env
        if tokens and not endpoint.secure and not endpoint.loopback:
            mend = f"use {endpoint.scheme}s://, with 'ca_file' if the server's certificate is not a public one"
            raise ParameterError("a token", got=f"a connection without TLS to {endpoint.host}", mend=mend)
        if (params.ca_file or params.cert_file) and not endpoint.secure:
            mend = f"use {endpoint.scheme}s://, or leave out 'ca_file', 'cert_file' and 'key_file'"
            raise ParameterError("certificates", got=f"a connection without TLS, {endpoint.name}", mend=mend)

    def __repr__(self) -> str:
        return "Credentials(...)"

    def headers(self) -> dict[str, str]:
        """What to send with a request.

        Raises:
            CloudAuthError: the token cannot be had.
        """
        token = self._current()
        return {"authorization": f"Bearer {token}"} if token else {}

    def stamp(self) -> tuple[int, ...]:
        """Changes when a certificate file does."""
        params, times = self._params, []
        for file in filter(None, (params.ca_file, params.cert_file, params.key_file)):
            try:
                times.append(os.stat(file).st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def ssl_context(self) -> ssl.SSLContext:
        """For a client of HTTPS.

        Raises:
            CloudAuthError: a certificate file is missing or not PEM.
        """
        params = self._params
        try:
            context = ssl.create_default_context(cafile=params.ca_file or None)
        except OSError as error:
            raise _unreadable("ca_file", params.ca_file, error) from None
        if params.cert_file:
            try:
                # A key with a passphrase would ask for it on the terminal and hang.
                context.load_cert_chain(params.cert_file, params.key_file, password=lambda: b"")
            except OSError as error:
                raise _unreadable("cert_file", f"{params.cert_file}' with key '{params.key_file}", error) from None
        return context

    def pem(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Authorities, private key and certificate chain, for a client of gRPC; None: none.

        Raises:
            CloudAuthError: as for `ssl_context`.
        """
        self.ssl_context()
        roots = self._params.ca_file or ssl.get_default_verify_paths().cafile or ""
        files = (roots, self._params.key_file, self._params.cert_file)
        try:
            authorities, key, chain = (Path(file).read_bytes() if file else None for file in files)
        except OSError as error:
            raise _unreadable("ca_file", str(error.filename), error) from None
        return authorities, key, chain

    def _current(self) -> str:
        if self._params.token_env:
            return _checked(os.environ.get(self._params.token_env, ""), f"environment: '{self._params.token_env}'")
        if not self._params.token_file:
            return ""
        path = Path(self._params.token_file)
        with self._lock:
            try:
                status = path.stat()
                seen = (status.st_mtime_ns, status.st_size, status.st_ino)
                if seen != self._seen:
                    self._token = _checked(path.read_text(encoding="utf-8"), f"file '{path}'")
                    self._seen = seen
            except OSError as error:
                raise _unreadable("token_file", str(path), error) from None
            except UnicodeDecodeError:
                raise CloudAuthError(f"file '{path}'", got="bytes that are no text", wanted="a token") from None
            return self._token


def _checked(text: str, where: str) -> str:
    token = text.strip()
    if not token:
        raise CloudAuthError(f"token from {where}", got="nothing", wanted="a token", mend="put one there")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CloudAuthError(f"token from {where}", got="blanks or special characters", wanted="one word in ASCII")
    return token


def _unreadable(parameter: str, file: str, error: OSError) -> CloudAuthError:
    # Of an SSLError only its reason: words of OpenSSL, never contents.
    why = getattr(error, "reason", None) or error.strerror or "not PEM"
    return CloudAuthError(
        f"'{parameter}' is '{file}'", got=why, wanted="a PEM file" if "token" not in parameter else None
    )
