"""Parameters of the page that the robot serves."""

from __future__ import annotations

import re

from pydantic import field_validator, model_validator

from edge_ai.core.params import Params, param

_ORIGIN = re.compile(r"https?://[\w.-]+(:\d{1,5})?/?", re.ASCII | re.IGNORECASE)


class DashboardParams(Params):
    """Everything the page can be told."""

    host: str = param(
        "127.0.0.1",
        "Address to listen at; 127.0.0.1 is this machine only. Any other, such as 0.0.0.0, needs a token.",
    )
    port: int = param(8080, "TCP port to listen at; 0 takes a free one.", ge=0, le=65535)
    token: str = param(
        "",
        "Secret that a viewer has to know, 16 characters or more; empty lets everybody on this machine in. Other "
        "nodes can read this parameter: prefer token_file.",
    )
    token_file: str = param(
        "", "File with the token in its first line; where there is none, one is made that only this user can read."
    )
    hosts: list[str] = param(
        [""],
        "Names under which browsers reach this robot, besides its host name, localhost and any IP address; behind a "
        "proxy that speaks TLS the whole origin, such as https://robot.example.",
    )
    certificate: str = param("", "PEM file with a TLS certificate and its chain; empty serves plain HTTP.")
    key: str = param("", "PEM file with the certificate's private key; empty takes it from the certificate's file.")
    video_rate: float = param(10.0, "Most pictures a second to each viewer.", unit="Hz", ge=0.2, le=60.0)
    video_budget: float = param(
        0.03,
        "Share of a core that serving the page may take; pictures come more slowly then, up to 5 s apart.",
        ge=0.001,
        le=1.0,
    )
    video_width: int = param(640, "Widest picture; wider ones are made smaller.", unit="px", ge=64, le=4096)
    quality: int = param(70, "JPEG quality of the pictures.", ge=1, le=100)
    update_rate: float = param(2.0, "How often figures go to each viewer.", unit="Hz", ge=0.5, le=20.0)
    history: float = param(300.0, "How far back plots reach.", unit="s", ge=10.0, le=3600.0)

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, hosts: list[str]) -> list[str]:
        wrong = [host for host in hosts if "://" in host and not _ORIGIN.fullmatch(host)]
        if wrong:
            raise ValueError(f"{', '.join(map(repr, wrong))}: an origin is such as https://robot.example:8443")
        return hosts

    @model_validator(mode="after")
    def _certified(self) -> DashboardParams:
        if self.key and not self.certificate:
            raise ValueError("'key' needs a 'certificate'")
        return self
