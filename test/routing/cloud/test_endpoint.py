import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.routing.cloud.endpoint import Endpoint


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "secure", "loopback", "name"),
    [
        ("grpc://server:8001", "server", 8001, "", False, False, "grpc://server:8001"),
        ("grpc://server", "server", 8001, "", False, False, "grpc://server:8001"),
        ("grpcs://server/", "server", 8001, "", True, False, "grpcs://server:8001"),
        ("http://127.0.0.1", "127.0.0.1", 8000, "", False, True, "http://127.0.0.1:8000"),
        ("http://127.9.9.9:1", "127.9.9.9", 1, "", False, True, "http://127.9.9.9:1"),
        ("http://localhost:1", "localhost", 1, "", False, True, "http://localhost:1"),
        ("http://localhost.evil.org:1", "localhost.evil.org", 1, "", False, False, "http://localhost.evil.org:1"),
        ("https://Server.Example/a/b/", "server.example", 443, "/a/b", True, False, "https://server.example:443/a/b"),
        ("grpc://[::1]:7", "::1", 7, "", False, True, "grpc://[::1]:7"),
        ("http://[2001:db8::1]", "2001:db8::1", 8000, "", False, False, "http://[2001:db8::1]:8000"),
    ],
)
def test_a_url_is_read(url, host, port, path, secure, loopback, name):
    endpoint = Endpoint.parse(url)
    assert (endpoint.host, endpoint.port, endpoint.path) == (host, port, path)
    assert (endpoint.secure, endpoint.loopback, endpoint.name) == (secure, loopback, name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "server",
        "server:8001",
        "ftp://server",
        "ros:cloud/infer",
        "grpc://",
        "grpc://:8001",
        "grpc://server:0",
        "grpc://server:99999",
        "grpc://server:port",
        "grpc://server/path",
        "grpc://ser ver:1",
        "http://server?token=x",
        "http://server#x",
        "http://[::1",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url):
    with pytest.raises(ParameterError, match="url"):
        Endpoint.parse(url)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(ParameterError, match="token_file") as refused:
        Endpoint.parse("https://robot:s3cr3t@server")
    assert "s3cr3t" not in str(refused.value)
