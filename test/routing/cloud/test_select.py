import subprocess
import sys

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.routing.cloud.select import CLIENTS, client_for
from edge_ai.routing.params import CloudParams


@pytest.mark.parametrize("scheme", CLIENTS.names())
def test_a_client_is_made_without_touching_the_network(scheme):
    pytest.importorskip("tritonclient.grpc.aio")
    client = client_for(CloudParams(url=f"{scheme}://server.invalid:1234"))
    assert client.name == f"{scheme}://server.invalid:1234"
    client.close()


def test_certificates_without_tls_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="TLS"):
        client_for(CloudParams(url="grpc://server:1", ca_file=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_missing_library_is_named_with_what_brings_it(scheme):
    script = (
        "import sys; sys.modules['tritonclient'] = None\n"
        "from edge_ai.routing.cloud.select import client_for\n"
        "from edge_ai.routing.params import CloudParams\n"
        "from edge_ai.core.errors import ParameterError\n"
        f"try: client_for(CloudParams(url='{scheme}://server:1'))\n"
        "except ParameterError as error: assert 'edge_ai[cloud]' in str(error), error\n"
        "else: raise SystemExit('no error')\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
