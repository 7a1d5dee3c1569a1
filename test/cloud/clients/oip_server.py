"""A server of the Open Inference Protocol v2 that misbehaves on demand, over HTTP and gRPC, for tests of clients."""

from oip_behaviour import Behaviour as Behaviour
from oip_behaviour import Served as Served
from oip_behaviour import until as until
from oip_over_grpc import grpc_server as grpc_server
from oip_over_http import http_server as http_server
