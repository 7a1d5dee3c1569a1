"""Where a server is, read from its URL."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from edge_ai.core.errors import ParameterError

PORTS = {"grpc": 8001, "grpcs": 8001, "http": 8000, "https": 443}
_MEND = "write it like grpc://server:8001"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address.

    Attributes:
        scheme: "grpc", "grpcs", "http" or "https".
        host: name or IP address, without brackets.
        port: TCP port.
        path: what precedes "/v2" where a proxy serves several servers; without a slash at the end.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Read a URL; without a port, the protocol's usual one holds.

        Raises:
            ParameterError: it is no such URL, or holds what does not belong there; a password is not repeated.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ParameterError("parameter 'url'", got="a URL that cannot be read", mend=_MEND) from None
        if "@" in parts.netloc:
            got, mend = "a URL with a user name or password", "give a token by 'token_file' or 'token_env'"
            raise ParameterError("parameter 'url'", got=got, wanted="host and port", mend=mend)
        if parts.scheme not in PORTS:
            wanted = f"one of {', '.join(f'{known}://' for known in PORTS)}"
            raise ParameterError("parameter 'url'", got=repr(url), wanted=wanted, mend=_MEND)
        path = parts.path.rstrip("/")
        if not host or port == 0 or _superfluous(parts) or (path and parts.scheme.startswith("grpc")):
            raise ParameterError("parameter 'url'", got=repr(url), wanted="scheme, host and port", mend=_MEND)
        return cls(parts.scheme, host, port or PORTS[parts.scheme], path)

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("grpcs", "https")

    @property
    def authority(self) -> str:
        """Host and port, as both protocols write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """As results carry it."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether nobody else can listen on the way."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def _superfluous(parts: SplitResult) -> bool:
    return bool(parts.query or parts.fragment or any(sign.isspace() for sign in parts.netloc))
