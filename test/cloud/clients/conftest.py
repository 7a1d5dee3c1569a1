"""Clients of the package and a server that misbehaves on demand, over each protocol."""

from __future__ import annotations

import ssl
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from edge_ai.routing.cloud.base import CloudAnswer, CloudRequest
from edge_ai.routing.cloud.select import client_for
from edge_ai.routing.params import CloudParams


class Asked:
    """What became of a request, and when."""

    def __init__(self):
        self.begun, self.took, self.outcomes = time.monotonic(), 0.0, []
        self._done = threading.Event()

    def __call__(self, outcome):
        self.took = time.monotonic() - self.begun
        self.outcomes.append(outcome)
        self._done.set()

    def wait(self, seconds=10.0):
        assert self._done.wait(seconds), "no outcome"
        return self.outcomes[0]


def length_of(inputs):
    return {"length": np.array([len(inputs["image"].flat[0])], np.int32)}


@pytest.fixture(params=["grpc", "http"])
def protocol(request):
    return request.param


@pytest.fixture
def behaviour():
    """A server's, with a model "m" that says how long a file is."""
    oip = pytest.importorskip("oip_server")
    return oip.Behaviour({"m": oip.Served({"image": ("BYTES", [-1])}, {"length": ("INT32", [-1])}, length_of)})


@pytest.fixture
def resources():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(protocol, behaviour, resources):
    """Starts the server; ``tls`` is a certificate of trustme, ``ask_for`` the authority of clients' certificates."""
    run = getattr(pytest.importorskip("oip_server"), f"{protocol}_server")

    def start(*, tls=None, ask_for=None, port=0):
        how = None
        if tls is not None and protocol == "grpc":
            import grpc

            chain = b"".join(pem.bytes() for pem in tls.cert_chain_pems)
            roots = ask_for.cert_pem.bytes() if ask_for else None
            how = grpc.ssl_server_credentials([(tls.private_key_pem.bytes(), chain)], roots, ask_for is not None)
        elif tls is not None:
            how = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.configure_cert(how)
            if ask_for is not None:
                ask_for.configure_trust(how)
                how.verify_mode = ssl.CERT_REQUIRED
        return resources.enter_context(run(behaviour, how, port))

    return start


@pytest.fixture
def connect(protocol, resources):
    """Makes clients of a port on this machine."""

    def make(port, *, secure=False, host="127.0.0.1", **params):
        url = f"{protocol}{'s' * secure}://{host}:{port}"
        client = client_for(CloudParams(url=url, **params))
        resources.callback(client.close)
        return client

    return make


@pytest.fixture
def ask():
    """Asks for the length of a file."""

    def ask(client, *, timeout=5.0, size=1000, model="m", wait=True):
        array = np.empty(1, object)
        array[0] = b"x" * size
        asked = Asked()
        asked.call = client.infer(CloudRequest(model, {"image": array}), timeout, asked)
        return asked.wait() if wait else asked

    return ask


@pytest.fixture
def answers(ask):
    """Whether a client gets the right answer."""

    def check(client, **how):
        outcome = ask(client, **how)
        return isinstance(outcome, CloudAnswer) and outcome.outputs["length"].tolist() == [how.get("size", 1000)]

    return check
