"""Parameters of routing and of the way to the cloud: the only place with their defaults, ranges, units and words."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from edge_ai.core.params import Params, param


class RouterParams(Params):
    """Who answers which frame, and what happens when that fails."""

    policy: str = param(
        "adaptive", "How a frame's side is chosen: rules, adaptive, cost, or one that a package registers.", live=True
    )
    override: Literal["auto", "edge", "cloud", "skip"] = param(
        "auto", "Operator's choice over every policy; auto: none.", live=True
    )
    deadline: float = param(
        0.25,
        "Time after its capture when the answer to a frame is of no more use; the controller's max_age, or less.",
        unit="s",
        ge=0.01,
        le=60,
        live=True,
    )
    order_wait: float = param(
        0.0,
        "How long an answer that is ready waits for older ones under way, such as the cloud's; 0: these are given up.",
        unit="s",
        ge=0,
        le=10,
        live=True,
    )
    cameras: list[str] = param(
        [""],
        "Names of the cameras, each the namespace of its camera/image_raw and inference/results; empty: one, here.",
    )
    transport: Literal["raw", "compressed"] = param(
        "raw", "Camera topic to read: raw images, or JPEG from camera/image_raw/compressed."
    )
    priorities: list[int] = param(
        [1], "Priority of each camera: 0 low, 1 normal, 2 high; a single value holds for all.", live=True
    )
    max_edge_pixels: int = param(
        1920 * 1080, "Rules: an image with more pixels than this goes to the cloud.", unit="px", ge=0, live=True
    )
    min_confidence: float = param(
        0.8,
        "Rules: a result of the edge whose best score is below gets a second opinion of the cloud.",
        ge=0,
        le=1,
        live=True,
    )
    max_load: float = param(
        0.8, "Adaptive: with a CPU, GPU or memory load above this frames go to the cloud.", ge=0, le=1, live=True
    )
    max_temperature: float = param(
        85.0, "Adaptive: with a sensor hotter than this frames go to the cloud.", unit="degC", ge=0, le=150, live=True
    )
    latency_bound: float = param(
        0.1,
        "Adaptive: with the edge slower than twice this frames go to the cloud.",
        unit="s",
        ge=0.001,
        le=10,
        live=True,
    )
    cost_latency: float = param(1.0, "Cost of a second of latency.", ge=0, live=True)
    cost_energy: float = param(0.01, "Cost of a joule of this robot.", ge=0, live=True)
    cost_bandwidth: float = param(0.05, "Cost of a megabyte sent.", ge=0, live=True)
    cost_accuracy: float = param(1.0, "Cost of an accuracy of 0 instead of 1.", ge=0, live=True)
    cost_miss: float = param(1.0, "Cost of an answer that comes after its deadline or not at all.", ge=0, live=True)
    edge_energy: float = param(0.2, "Energy of one inference here.", unit="J", ge=0, live=True)
    cloud_energy: float = param(1.0, "Energy of the radio for a megabyte sent.", unit="J", ge=0, live=True)
    edge_accuracy: float = param(0.5, "Accuracy of the model here, such as its AP.", ge=0, le=1, live=True)
    cloud_accuracy: float = param(0.5, "Accuracy of the model in the cloud.", ge=0, le=1, live=True)
    explore: float = param(
        0.02,
        "Cost: share of frames that ask the side not favoured, so that what is known of it stays fresh.",
        ge=0,
        le=0.5,
        live=True,
    )
    max_in_flight: int = param(
        4, "Requests to the cloud under way at once; more frames stay here.", ge=1, le=256, live=True
    )
    hedge_after: float = param(
        0.0,
        "How long to wait for the cloud before the edge is asked too; 0: as measured, and in time for the deadline.",
        unit="s",
        ge=0,
        le=60,
        live=True,
    )
    hedge_share: float = param(
        0.2, "Share of the frames sent to the cloud that may be hedged in the long run.", ge=0, le=1, live=True
    )
    breaker_failures: int = param(3, "Failures in a row after which the cloud is left alone.", ge=1, le=1000)
    breaker_pause: float = param(
        1.0, "How long at first; doubles with each failed trial, with jitter.", unit="s", ge=0.01, le=3600
    )
    breaker_longest: float = param(30.0, "How long at most.", unit="s", ge=0.01, le=86400)
    breaker_ramp: float = param(
        5.0, "Time over which the cloud gets its full share again after a recovery.", unit="s", ge=0, le=3600
    )
    report_period: float = param(10.0, "Time between lines in the log; 0: none.", unit="s", ge=0, le=3600)

    @model_validator(mode="after")
    def _fit(self) -> RouterParams:
        if len(set(self.cameras)) != len(self.cameras) or (len(self.cameras) > 1 and "" in self.cameras):
            raise ValueError(f"'cameras' must have different names, got {self.cameras}")
        if len(self.priorities) not in (1, len(self.cameras)):
            raise ValueError(f"'priorities' has {len(self.priorities)} values, wanted 1 or {len(self.cameras)}")
        if not all(0 <= priority <= 2 for priority in self.priorities):
            raise ValueError(f"'priorities' are 0, 1 or 2, got {self.priorities}")
        if self.breaker_longest < self.breaker_pause:
            raise ValueError("'breaker_longest' must not be below 'breaker_pause'")
        return self


class CloudParams(Params):
    """The server, and how to reach it."""

    url: str = param(
        "",
        "Server: grpc://HOST:PORT, grpcs://, http:// or https:// (Open Inference Protocol v2), or ros:SERVICE for a "
        "cloud_node; empty: none, all is answered here.",
    )
    card: str = param(
        "",
        "Path of the card of the server's model; empty: the same model as here, and for router_node, which has none, "
        "the shipped detector.",
    )
    model: str = param("", "Name of the model on the server; empty: as the model card says.")
    version: str = param("", "Its version there; empty: the server's choice.")
    payload: Literal["auto", "jpeg", "raw"] = param(
        "auto", "How images travel; auto: JPEG where the server takes it, else raw."
    )
    jpeg_quality: int = param(85, "Quality of JPEG images, 1 to 100.", ge=1, le=100, live=True)
    jpeg_least: int = param(
        50, "Least quality a slow link may bring it down to; as jpeg_quality: never.", ge=1, le=100, live=True
    )
    score_threshold: float = param(
        0.0,
        "Least score of a detection of the cloud; 0: as its model card says. In one process inference's holds.",
        ge=0,
        le=1,
        live=True,
    )
    classes: list[str] = param(
        [""],
        "Names of the classes to report of the cloud's; empty: all. In one process inference's hold.",
        live=True,
    )
    attempts: int = param(2, "Times a request is sent at most while its deadline allows.", ge=1, le=10, live=True)
    retry_share: float = param(
        0.1,
        "Retries as a share of requests in the long run; more only load a server that is in trouble.",
        ge=0,
        le=1,
        live=True,
    )
    ca_file: str = param("", "Certificate authorities (PEM) the server is checked against; empty: the system's.")
    cert_file: str = param("", "Our certificate (PEM) for mutual TLS; empty: none.")
    key_file: str = param("", "Its private key (PEM).")
    token_file: str = param("", "File with a bearer token, read again when it changes; empty: none.")
    token_env: str = param("", "Environment variable with a bearer token; empty: none.")
    connect_timeout: float = param(2.0, "How long to wait for the server at start.", unit="s", ge=0.1, le=60)
    ping_period: float = param(1.0, "Time between two looks whether the server is there.", unit="s", ge=0.1, le=3600)

    @model_validator(mode="after")
    def _fit(self) -> CloudParams:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("'cert_file' and 'key_file' belong together")
        if self.token_file and self.token_env:
            raise ValueError("give a token by 'token_file' or by 'token_env', not both")
        if self.jpeg_least > self.jpeg_quality:
            raise ValueError("'jpeg_least' must not be above 'jpeg_quality'")
        return self
