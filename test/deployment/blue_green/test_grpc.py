"""Requests over gRPC, as robots send them, while HAProxy moves them from one side to the other."""

import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from edge_ai.deployment.blue_green.haproxy import Traffic
from edge_ai.deployment.blue_green.plan import TrafficPlan

grpc = pytest.importorskip("grpc")
METHOD = "/inference.GRPCInferenceService/ModelInfer"
# A gRPC server that answers with its name, and says over HTTP that it is ready, as Triton does.
SERVER = """
import sys, time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer
import grpc

name, port, http_port = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Service(grpc.GenericRpcHandler):
    def service(self, details):
        def answer(request, context):
            time.sleep(0.002)
            return name.encode()
        return grpc.unary_unary_rpc_method_handler(answer)

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Service()])
assert server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
print("serving", flush=True)
HTTPServer(("127.0.0.1", http_port), Ready).serve_forever()
"""


class Robots:
    """Clients that ask without pause, each over its channel, with a picture of 40 kB."""

    def __init__(self, port, count=3):
        self.answers, self.failures, self._end = [], [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port,), daemon=True) for _ in range(count)]

    def _ask(self, port):
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            infer = channel.unary_unary(METHOD)
            while not self._end.is_set():
                asked = time.monotonic()
                try:
                    self.answers.append((asked, infer(bytes(40_000), timeout=20).decode()))
                except grpc.RpcError as error:
                    self.failures.append(error)

    def more(self, name, count=30):
        """Wait until a side has answered so many that were asked from now on."""
        begun, end = time.monotonic(), time.monotonic() + 20
        while self.asked_since(begun)[name] < count:
            assert time.monotonic() < end
            time.sleep(0.01)

    def asked_since(self, begun):
        """How many of the requests made since then each side has answered."""
        return Counter(name for asked, name in list(self.answers) if asked > begun)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def servers(machine):
    started = {}
    for name, port in machine.proxy.grpc_ports.items():
        command = [sys.executable, "-c", SERVER, name, str(port), str(machine.proxy.ports[name])]
        started[name] = subprocess.Popen(command, stdout=subprocess.PIPE)
    for child in started.values():
        child.stdout.readline()
    yield started
    for child in started.values():
        child.kill()
        child.communicate()


def test_no_request_over_grpc_fails_when_sides_change_and_a_dead_one_is_stood_in_for(machine, servers):
    plan = TrafficPlan(socket="ha.sock", backends=["triton_http", "triton_grpc"], drain=5.0)
    lane = Traffic(plan, machine.folder, machine.said.append)
    lane.move("blue", "green")
    with Robots(machine.proxy.grpc_port) as robots:
        robots.more("blue")
        for side, before in (("green", "blue"), ("blue", "green"), ("green", "blue")):
            lane.move(side, before, spare=True)
            moved = time.monotonic()
            robots.more(side)
            assert robots.asked_since(moved)[before] == 0
        assert robots.failures == []
        servers["green"].kill()
        robots.more("blue")
    assert len(robots.failures) <= 3  # what lay in the dead server's buffers, one of each client
