"""Who may look, and who may press buttons."""

import stat

import pytest

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.dashboard.auth import Gate, is_loopback, secret
from edge_ai.dashboard.params import DashboardParams

TOKEN = "a-token-of-some-length"
OWN = {"origin": "http://robot:8080", "host": "robot:8080", "x-edge-ai": "1"}


@pytest.fixture
def gate():
    return Gate(TOKEN, ["kiosk.example"], 8080)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    assert is_loopback(host)
    assert secret(DashboardParams(host=host)) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "robot.local"])
def test_other_machines_get_nothing_without_a_token(host):
    with pytest.raises(EdgeAIError, match=r"and no token; wanted a token.*To mend: set token_file"):
        secret(DashboardParams(host=host))
    assert secret(DashboardParams(host=host, token=TOKEN)) == TOKEN


def test_a_token_that_is_soon_guessed_is_refused_and_not_repeated():
    with pytest.raises(EdgeAIError, match="got 7 characters; wanted 16") as caught:
        secret(DashboardParams(token="letmein"))
    assert "letmein" not in str(caught.value)


def test_a_token_file_is_made_for_this_user_alone_and_kept(tmp_path):
    path = tmp_path / "deep" / "token"
    params = DashboardParams(host="0.0.0.0", token_file=str(path))
    token = secret(params)
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret(params) == token


def test_a_token_file_that_is_of_no_use_is_named(tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n")
    with pytest.raises(EdgeAIError, match="empty' of the dashboard: got an empty first line"):
        secret(DashboardParams(token_file=str(empty)))
    with pytest.raises(EdgeAIError, match="token file"):
        secret(DashboardParams(token_file=str(tmp_path)))


def test_a_key_without_its_certificate_is_refused():
    with pytest.raises(ParameterError, match="'key' needs a 'certificate'"):
        DashboardParams.parse({"key": "key.pem"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "192.168.0.7", "[::1]:8080", "[fe80::1]", "kiosk.example:1"],
)
def test_names_of_this_robot(gate, host):
    assert gate.known_host(host)


FOREIGN = ["", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "[x]:1"]


@pytest.mark.parametrize("host", [*FOREIGN, "[fe80::1%?x]", "fe80::1%#", "[fe80::1%@evil.example]"])
def test_a_foreign_name_that_leads_here_is_not_ours(gate, host):
    assert not gate.known_host(host)


def test_token_by_header_or_cookie(gate):
    cookie = gate.cookie(secure=False)
    assert gate.knows({"authorization": f"Bearer {TOKEN}"})
    assert gate.knows({"cookie": f"other=1; {cookie.partition(';')[0]}"})
    assert not gate.knows({})
    assert not gate.knows({"authorization": "Bearer wrong"})
    assert not gate.knows({"authorization": f"Basic {TOKEN}"})
    assert not gate.knows({"cookie": "edge_ai_8080=wrong"})
    assert not gate.knows({"cookie": f"edge_ai_8081={cookie.partition(';')[0].partition('=')[2]}"})


def test_a_cookie_is_for_our_own_pages_only_and_does_not_give_the_token_away(gate):
    cookie = gate.cookie(secure=True)
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert TOKEN not in cookie


def test_without_a_token_everybody_is_known():
    assert Gate("", [], 8080).knows({})


def test_only_our_own_page_changes_anything(gate):
    assert gate.own_page(OWN, "http")
    assert not gate.own_page({**OWN, "origin": "http://evil.example"}, "http")
    assert not gate.own_page({**OWN, "origin": "null"}, "http")
    assert not gate.own_page(OWN, "https")
    assert not gate.own_page({key: value for key, value in OWN.items() if key != "x-edge-ai"}, "http")


PROXIED = {"origin": "https://robot.example", "x-edge-ai": "1"}


@pytest.mark.parametrize("named", ["https://robot.example", "HTTPS://Robot.Example:443/"])
def test_behind_a_proxy_that_speaks_tls_our_origin_is_the_one_that_was_named(named):
    gate = Gate(TOKEN, [named], 8080)
    assert gate.known_host("robot.example")
    for host in ("robot.example", "127.0.0.1:8080"):  # a proxy may or may not pass on what the browser said
        assert gate.own_page({**PROXIED, "host": host}, "http")
        assert not gate.own_page({**PROXIED, "host": host, "origin": "https://evil.example"}, "http")
        assert not gate.own_page({"origin": PROXIED["origin"], "host": host}, "http")
    assert not gate.own_page({**PROXIED, "host": "127.0.0.1:8080", "origin": "http://robot.example"}, "http")
    assert gate.own_page(OWN, "http")


def test_a_mere_name_is_no_origin():
    assert not Gate(TOKEN, ["robot.example"], 8080).own_page({**PROXIED, "host": "robot.example"}, "http")


@pytest.mark.parametrize("host", ["ftp://robot", "https://", "https://robot/page", "https://user@robot"])
def test_what_is_no_origin_is_refused(host):
    with pytest.raises(ParameterError, match="an origin is such as"):
        DashboardParams.parse({"hosts": [host]})
    assert DashboardParams.parse({"hosts": ["", "robot", "https://robot.example:8443/"]})


def test_a_form_needs_no_header_but_the_same_origin(gate):
    form = {"origin": "http://robot:8080", "host": "robot:8080"}
    assert gate.own_page(form, "http", form=True)
    assert not gate.own_page({**form, "origin": "http://evil.example"}, "http", form=True)


def test_a_program_sends_no_origin_but_both_headers(gate):
    assert gate.own_page({"x-edge-ai": "1", "authorization": f"Bearer {TOKEN}"}, "http")
    assert not gate.own_page({"x-edge-ai": "1", "cookie": "edge_ai_8080=1"}, "http")
    assert not gate.own_page({"authorization": f"Bearer {TOKEN}"}, "http")
    assert Gate("", [], 8080).own_page({"x-edge-ai": "1"}, "http")
