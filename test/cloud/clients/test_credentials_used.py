"""Certificates and tokens, checked by both sides."""

import datetime
import logging

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.routing.cloud.base import CloudAnswer, CloudAuthError, CloudError, CloudUnreachableError
from edge_ai.routing.cloud.select import client_for
from edge_ai.routing.params import CloudParams

pytest.importorskip("oip_server")
trustme = pytest.importorskip("trustme")
SECRET = "s3cr3t-t0ken"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def own(certificate, folder):
    """Parameters for our own certificate."""
    cert, key = folder / "own.pem", folder / "own.key"
    cert.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    return {"cert_file": str(cert), "key_file": str(key)}


@pytest.fixture
def good(authority):
    return authority.issue_cert("localhost", "127.0.0.1")


def test_a_server_with_a_certificate_is_trusted_by_its_authority(serve, connect, answers, good, ca_file):
    client = connect(serve(tls=good).port, secure=True, ca_file=ca_file)
    client.open("m", "", 5)
    assert answers(client)


def test_an_expired_certificate_is_refused(serve, connect, ask, authority, ca_file):
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    expired = authority.issue_cert("localhost", "127.0.0.1", not_after=yesterday)
    client = connect(serve(tls=expired).port, secure=True, ca_file=ca_file)
    with pytest.raises(CloudAuthError, match="expired"):
        client.open("m", "", 5)
    assert type(ask(client)) is CloudAuthError


def test_a_certificate_of_another_authority_is_refused(serve, connect, good, tmp_path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with pytest.raises(CloudAuthError, match="issuer"):
        connect(serve(tls=good).port, secure=True, ca_file=str(other)).open("m", "", 5)


def test_a_certificate_that_no_authority_of_the_system_knows_is_refused(serve, connect, good):
    with pytest.raises(CloudAuthError):
        connect(serve(tls=good).port, secure=True).open("m", "", 5)


def test_a_certificate_for_another_host_is_refused(serve, connect, authority, ca_file):
    other = authority.issue_cert("robots.example")
    with pytest.raises(CloudAuthError):
        connect(serve(tls=other).port, secure=True, ca_file=ca_file).open("m", "", 5)


def test_both_sides_prove_themselves(serve, connect, answers, authority, good, ca_file, tmp_path):
    ours = own(authority.issue_cert("robot@example.org"), tmp_path)
    client = connect(serve(tls=good, ask_for=authority).port, secure=True, ca_file=ca_file, **ours)
    client.open("m", "", 5)
    assert answers(client)


@pytest.mark.parametrize("ours", ["none", "of another authority"])
def test_without_the_right_certificate_of_ours_no_way(serve, connect, authority, good, ca_file, tmp_path, ours):
    files = own(trustme.CA().issue_cert("robot@example.org"), tmp_path) if ours != "none" else {}
    client = connect(serve(tls=good, ask_for=authority).port, secure=True, ca_file=ca_file, **files)
    # Over gRPC the server just hangs up.
    with pytest.raises((CloudAuthError, CloudUnreachableError), match=r"certificate|TLS"):
        client.open("m", "", 5)


def test_a_renewed_certificate_of_ours_is_read_again(serve, connect, answers, authority, good, ca_file, tmp_path):
    files = own(trustme.CA().issue_cert("robot@example.org"), tmp_path)
    client = connect(serve(tls=good, ask_for=authority).port, secure=True, ca_file=ca_file, **files)
    with pytest.raises(CloudError):
        client.open("m", "", 5)
    own(authority.issue_cert("robot@example.org"), tmp_path)
    client.open("m", "", 5)
    assert answers(client)


def test_tls_to_a_server_without_is_said(serve, connect, ca_file):
    with pytest.raises(CloudAuthError):
        connect(serve().port, secure=True, ca_file=ca_file).open("m", "", 5)


def test_a_token_is_sent_and_read_again_when_it_changes(serve, connect, ask, answers, behaviour, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    behaviour.token = SECRET
    client = connect(serve().port, token_file=str(file))
    client.open("m", "", 5)
    assert answers(client)
    behaviour.token = "another-one"
    assert type(ask(client)) is CloudAuthError
    file.write_text("another-one")
    assert answers(client)
    file.unlink()
    error = ask(client)
    assert type(error) is CloudAuthError
    assert str(file) in str(error)


def test_a_token_of_the_environment(serve, connect, ask, answers, behaviour, monkeypatch):
    behaviour.token = SECRET
    client = connect(serve().port, token_env="EDGE_AI_TEST_TOKEN")
    assert type(ask(client)) is CloudAuthError
    monkeypatch.setenv("EDGE_AI_TEST_TOKEN", SECRET)
    assert answers(client)


def test_a_token_is_written_nowhere(serve, connect, ask, behaviour, tmp_path, caplog):
    file = tmp_path / "token"
    file.write_text(SECRET)
    behaviour.token = "another-one"
    caplog.set_level(logging.DEBUG)
    server = serve()
    client = connect(server.port, token_file=str(file))
    errors = [ask(client)]
    with pytest.raises(CloudAuthError) as refused:
        client.open("m", "", 5)
    errors.append(refused.value)
    behaviour.token, behaviour.code, behaviour.status = SECRET, "INTERNAL", 500
    errors.append(ask(client))
    server.stop()
    errors.append(ask(client))
    chain = [error.__context__ for error in errors] + [error.__cause__ for error in errors]
    text = "".join(map(repr, [*errors, *chain, client, client.__dict__])) + caplog.text
    assert SECRET not in text


def test_a_token_never_travels_in_the_clear(protocol, tmp_path):
    for host in ("10.1.2.3", "server.example", "[2001:db8::1]"):
        with pytest.raises(ParameterError, match="TLS"):
            client_for(CloudParams(url=f"{protocol}://{host}:8001", token_env="TOKEN"))
    client_for(CloudParams(url=f"{protocol}s://server.example:8001", token_env="TOKEN"))
    client_for(CloudParams(url=f"{protocol}://[::1]:8001", token_env="TOKEN"))


def test_a_redirection_does_not_carry_the_token_elsewhere(serve, connect, ask, behaviour, protocol, monkeypatch):
    if protocol != "http":
        pytest.skip("gRPC has no redirections")
    monkeypatch.setenv("EDGE_AI_TEST_TOKEN", SECRET)
    client = connect(serve().port, token_env="EDGE_AI_TEST_TOKEN")
    behaviour.mode = "redirect"
    outcome = ask(client)
    assert not isinstance(outcome, CloudAnswer)
    assert "307" in str(outcome)
