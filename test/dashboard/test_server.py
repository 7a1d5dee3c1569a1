"""The server over real sockets: what it serves, whom it refuses, how it ends."""

import contextlib
import functools
import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
import time

import httpx
import pytest

from edge_ai.core.clock import SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample

TOKEN = "a-token-of-some-length"
PRESS = {"X-Edge-AI": "1"}

# Made once: reading all certificates of the world takes a while.
CONTEXT = httpx.create_ssl_context()
get, post, stream_from = (functools.partial(ask, verify=CONTEXT) for ask in (httpx.get, httpx.post, httpx.stream))


def test_everything_at_one_port(serve):
    clock = SystemClock()
    metrics, health = Metrics(clock), Health(clock)
    url = serve(metrics=metrics, health=health).url
    assert get(f"{url}livez").text == "alive\n"
    assert get(f"{url}readyz").status_code == 503
    sample = Sample(clock.stamp_ns(), clock.steady_ns(), {"fps": 10.0, "cpu": 0.25})
    metrics.sample(sample)
    health.update(sample)
    assert get(f"{url}readyz").text == "ready\n"
    assert "edge_ai_cpu_usage_ratio 0.25" in get(f"{url}metrics").text
    page = get(url)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert get(f"{url}nothing").status_code == 404


def test_files_are_not_sent_twice(serve):
    url = f"{serve().url}style.css"
    tag = get(url).headers["etag"]
    again = get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_events_tell_what_is_put_while_somebody_listens(serve, board):
    url = serve().url
    board.put("identity", {"name": "rover"})
    with stream_from("GET", f"{url}events", timeout=10) as stream:
        lines = (line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: "))
        assert json.loads(next(lines))["sections"]["identity"]["value"] == {"name": "rover"}
        board.put("result", {"count": 4})
        changed = next(found for line in lines if (found := json.loads(line)["sections"]))
        assert changed["result"]["value"] == {"count": 4}


def test_pictures_by_number_and_none_where_there_is_no_provider(serve, board):
    url = f"{serve(video_rate=60.0).url}frame.jpg"
    assert get(url).status_code == 204
    pictures = iter([b"one", b"two"])
    board.picture(lambda: next(pictures, None))
    first = get(url, params={"after": "0"})
    assert (first.content, first.headers["x-frame-number"]) == (b"one", "1")
    assert get(url, params={"after": "nonsense"}).content == b"one"
    assert get(url, params={"after": "1"}).content == b"two"


def test_buttons_do_what_they_say_and_say_what_went_wrong(serve, board):
    url = serve().url
    assert post(f"{url}stop", headers=PRESS).status_code == 404

    def refuse():
        raise EdgeAIError("reset", got="an obstacle")

    def fail():
        raise RuntimeError("no such thing")

    board.on_stop, board.on_reset, board.on_record = lambda: "stopped", refuse, fail
    assert post(f"{url}stop", headers=PRESS).json() == {"message": "stopped"}
    assert get(f"{url}stop").status_code == 405
    refused = post(f"{url}reset", headers=PRESS)
    assert (refused.status_code, refused.json()) == (409, {"message": "reset: got an obstacle"})
    failed = post(f"{url}record", headers=PRESS)
    assert (failed.status_code, failed.json()) == (500, {"message": "RuntimeError: no such thing"})


def test_a_stop_does_not_wait_for_anything_slow(serve, board):
    url, hold, stopped = serve().url, threading.Event(), []
    board.on_record = hold.wait
    board.picture(lambda: hold.wait(30) and b"jpeg")
    board.on_stop = lambda: stopped.append(1)
    slow = [
        threading.Thread(target=post, args=(f"{url}record",), kwargs={"headers": PRESS, "timeout": 60}),
        threading.Thread(target=get, args=(f"{url}frame.jpg",), kwargs={"timeout": 60}),
    ]
    for thread in slow:
        thread.start()
    try:
        assert post(f"{url}stop", headers=PRESS).status_code == 200
        assert stopped
    finally:
        hold.set()
        for thread in slow:
            thread.join()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**PRESS, "Origin": "http://evil.example"},
        {**PRESS, "Origin": "null"},
    ],
)
def test_a_foreign_page_presses_nothing(serve, board, headers):
    pressed = []
    board.on_stop = lambda: pressed.append(1)
    assert post(f"{serve().url}stop", headers=headers).status_code == 403
    assert not pressed


def test_our_own_page_may_press(serve, board):
    board.on_stop = lambda: None
    url = serve().url
    assert post(f"{url}stop", headers={**PRESS, "Origin": url.rstrip("/")}).status_code == 200


@pytest.mark.parametrize("path", ["", "events", "frame.jpg", "metrics", "livez"])
def test_a_foreign_name_that_leads_here_sees_nothing(serve, path):
    said = get(f"{serve().url}{path}", headers={"Host": "evil.example"})
    assert said.status_code == 421


def test_without_the_token_nothing_but_whether_it_lives(serve, board):
    health = Health(SystemClock())
    url = serve(token=TOKEN, health=health).url
    assert [get(f"{url}{path}").status_code for path in ("", "events", "frame.jpg", "metrics", "app.js")] == [401] * 5
    assert get(f"{url}livez").status_code == 200
    said = get(f"{url}readyz")
    assert (said.status_code, said.text) == (503, "")
    board.on_stop = lambda: None
    assert post(f"{url}stop", headers={**PRESS, "Origin": url.rstrip("/")}).status_code == 401


def test_prometheus_and_programs_show_the_token_in_a_header(serve, board):
    url = serve(token=TOKEN, metrics=Metrics(SystemClock())).url
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert get(f"{url}metrics", headers=bearer).status_code == 200
    board.on_stop = lambda: None
    assert post(f"{url}stop", headers={**PRESS, **bearer}).status_code == 200


def test_a_link_with_the_token_gives_a_cookie_once(serve):
    url = serve(token=TOKEN).url
    with httpx.Client(verify=CONTEXT) as client:
        assert client.get(url, params={"token": "wrong"}).status_code == 401
        welcome = client.get(url, params={"token": TOKEN})
        assert "token=" not in welcome.text
        assert "HttpOnly" in welcome.headers["set-cookie"]
        assert client.get(url).status_code == 200
        assert 'id="stop"' in client.get(url).text


def test_the_token_by_form(serve):
    url = serve(token=TOKEN).url
    own, foreign = {"Origin": url.rstrip("/")}, {"Origin": "http://evil.example"}
    with httpx.Client(verify=CONTEXT) as client:
        assert "not the token" in client.post(f"{url}login", data={"token": "wrong"}, headers=own).text
        assert client.post(f"{url}login", data={"token": TOKEN}, headers=foreign).status_code == 403
        assert client.post(f"{url}login", content=b"x" * 10_000, headers=own).status_code == 413
        assert client.post(f"{url}login", data={"token": TOKEN}, headers=own).status_code == 200
        assert client.get(url).status_code == 200


def test_a_token_is_never_logged(serve, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        url = serve(token=TOKEN).url
        get(url, headers={"Authorization": f"Bearer {TOKEN}"})
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1].strip("/")))).sendall(
            f"GET /?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        )
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())


def test_over_tls_where_there_is_a_certificate(serve, tmp_path):
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    given = authority.issue_cert("localhost")
    given.private_key_and_cert_chain_pem.write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    url = serve(certificate=str(tmp_path / "cert.pem"), token=TOKEN).url
    assert url.startswith("https://")
    with httpx.Client(verify=ssl.create_default_context(cafile=tmp_path / "ca.pem")) as client:
        welcome = client.get(url.replace("127.0.0.1", "localhost"), params={"token": TOKEN})
    assert "Secure" in welcome.headers["set-cookie"]


def test_a_certificate_that_is_none_is_named(board, tmp_path):
    params = DashboardParams(port=0, certificate=str(tmp_path / "none.pem"))
    with pytest.raises(EdgeAIError, match="certificate of the dashboard"):
        DashboardServer(params, board).start()


def test_a_port_that_is_taken_is_named(serve, board):
    port = int(serve().url.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(EdgeAIError, match=rf"dashboard at 127.0.0.1:{port}.*To mend: choose another port"):
        DashboardServer(DashboardParams(port=port), board).start()


def test_other_machines_only_with_a_token(board):
    with pytest.raises(EdgeAIError, match="wanted a token"):
        DashboardServer(DashboardParams(host="0.0.0.0", port=0), board).start()


def test_it_ends_while_somebody_listens_and_starts_again(serve):
    before = set(threading.enumerate())
    server = serve()
    ended = threading.Event()

    def listen():
        with stream_from("GET", f"{server.url}events", timeout=30) as stream:
            begun.set()
            for _ in stream.iter_lines():
                pass
        ended.set()

    begun = threading.Event()
    threading.Thread(target=listen, daemon=True).start()
    assert begun.wait(10)
    server.stop()
    server.stop()
    assert ended.wait(10)
    assert not [one for one in {*threading.enumerate()} - before if one.name.startswith("dashboard")]
    server.start()
    assert get(f"{server.url}livez").status_code == 200


def test_so_many_viewers_and_no_more_until_some_leave(serve):
    url = serve(update_rate=20.0).url

    def watch():
        stream = stack.enter_context(stream_from("GET", f"{url}events", timeout=10))
        return stream.status_code

    def again():
        with stream_from("GET", f"{url}events", timeout=10) as stream:
            return stream.status_code == 200

    with contextlib.ExitStack() as stack:
        assert [watch() for _ in range(17)] == [200] * 16 + [503]
    until = time.monotonic() + 10
    while not again():
        assert time.monotonic() < until, "those who left still count"


def test_a_head_of_the_events_ends_at_once(serve):
    assert httpx.head(f"{serve().url}events", verify=CONTEXT).status_code == 200


def test_missing_libraries_are_named():
    script = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from edge_ai.core.clock import SystemClock\n"
        "from edge_ai.dashboard.params import DashboardParams\n"
        "from edge_ai.dashboard.server import DashboardServer\n"
        "from edge_ai.dashboard.state import Board\n"
        "DashboardServer(DashboardParams(port=0), Board(SystemClock())).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "wanted starlette and uvicorn. To mend: python3 -m pip install" in done.stderr
