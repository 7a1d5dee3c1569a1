import ssl

import pytest

from edge_ai.routing.cloud.base import (
    CloudAnswerError,
    CloudAuthError,
    CloudBusyError,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
)
from edge_ai.routing.cloud.faults import from_connection, from_grpc, from_http, shortened

REFUSED = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"
UNTRUSTED = (
    "failed to connect: Tls handshake failed: SSL_ERROR_SSL: SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"
)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        ("StatusCode.UNAVAILABLE", REFUSED, CloudUnreachableError),
        ("UNAVAILABLE", "Socket closed", CloudUnreachableError),
        ("UNAVAILABLE", UNTRUSTED, CloudAuthError),
        ("UNAVAILABLE", "Exceeds maximum queue size", CloudBusyError),
        ("UNAVAILABLE", "Request timeout expired", CloudBusyError),
        ("INTERNAL", "Received RST_STREAM with error code 2", CloudUnreachableError),
        ("INTERNAL", "the model raised an exception", CloudAnswerError),
        ("RESOURCE_EXHAUSTED", "CLIENT: Received message larger than max (9 vs. 4)", CloudAnswerError),
        ("RESOURCE_EXHAUSTED", "quota", CloudBusyError),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", CloudTimeoutError),
        ("NOT_FOUND", "unknown model", CloudRequestError),
        ("SOMETHING_NEW", "", CloudAnswerError),
    ],
)
def test_words_of_grpc(status, message, kind):
    assert type(from_grpc("grpc://s:1", status, message)) is kind


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "unexpected shape", CloudRequestError),
        (400, "Request timeout expired", CloudBusyError),
        (418, "", CloudRequestError),
        (302, "", CloudRequestError),
        (500, "it broke", CloudAnswerError),
        (502, "", CloudUnreachableError),
        (503, "", CloudBusyError),
        (504, "", CloudTimeoutError),
        (599, "", CloudAnswerError),
    ],
)
def test_statuses_of_http(status, message, kind):
    assert type(from_http("http://s:1", status, message)) is kind


def test_what_is_wrong_with_us_speaks_not_against_the_server():
    assert not from_http("s", 404, "").fault
    assert from_http("s", 500, "").fault


def chained(inner):
    outer = OSError("outer")
    outer.__cause__ = inner
    return outer


def test_tls_is_found_behind_other_errors():
    untrusted = ssl.SSLCertVerificationError(1, "no")
    untrusted.verify_message = "self-signed certificate"
    assert type(from_connection("s", chained(untrusted))) is CloudAuthError
    assert "self-signed" in str(from_connection("s", chained(untrusted)))
    assert type(from_connection("s", chained(ssl.SSLError(1, "alert")))) is CloudAuthError
    assert type(from_connection("s", chained(ssl.SSLEOFError(8, "EOF")))) is CloudUnreachableError
    assert type(from_connection("s", ConnectionResetError("reset"))) is CloudUnreachableError


def test_errors_that_point_at_each_other_end():
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert type(from_connection("s", one)) is CloudUnreachableError


def test_words_of_a_server_fit_a_line():
    assert shortened("a\nb\x00\tc") == "a b c"
    assert len(shortened("x" * 5000)) < 310
    assert shortened("") == "no words"
