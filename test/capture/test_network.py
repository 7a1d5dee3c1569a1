import socket

import pytest

from edge_ai.capture.network import reason_for_silence


def test_a_closed_port_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert reason_for_silence(f"rtsp://127.0.0.1:{port}/x") == (
            f"no connection to 127.0.0.1 port {port}: Connection refused"
        )


def test_an_open_port_points_to_path_and_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reason = reason_for_silence(f"http://me:secret@127.0.0.1:{server.getsockname()[1]}/x")
    assert "check path, user name and password" in reason
    assert "secret" not in reason


@pytest.mark.parametrize("url", ["rtsp:///x", "rtsp://cam:port/x", "rtsp://[::1/x"])
def test_a_malformed_url_is_named(url: str) -> None:
    assert "URL" in reason_for_silence(url)
