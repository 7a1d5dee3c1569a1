"""What a container is started with."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

DIGEST = "edge_ai.spec"
"""The label that holds the digest of a container's specification."""

Address = Annotated[str, Field(pattern=r"^([0-9.]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$")]


class ContainerSpec(BaseModel):
    """What a container is started with; hardened as in the shipped compose file, whatever else it says.

    Attributes:
        image: name and tag, or digest; must be on the machine already.
        command: words; empty: the image's own.
        environment: variables by name.
        ports: where on the host each port of the container is found: {8000: "127.0.0.1:8100"}.
        volumes: named volumes and absolute paths of the host by where they appear in the container, with ":ro" behind
            them where they are only read: {"/models": "/srv/models:ro"}.
        devices: of the host, such as "/dev/video0".
        groups: numbers or names of groups that its user joins, for the devices.
        gpu: whether it gets all NVIDIA GPUs of the host (PC).
        runtime: another one than the engine's default: "nvidia" on a Jetson.
        network: network or "host"; empty: the engine's default.
        ipc: "host" for shared memory with others; empty: its own.
        memory: most it may use, as "2g"; empty: no limit.
        user: "uid:gid"; empty: the image's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field(min_length=1)
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    ports: dict[int, Address] = {}
    volumes: dict[str, str] = {}
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    gpu: bool = False
    runtime: str = ""
    network: str = ""
    ipc: str = ""
    memory: str = Field("", pattern=r"^([0-9]+[bkmg]?)?$")
    user: str = ""

    @property
    def digest(self) -> str:
        """Tells one specification from another."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def creation(name: str, spec: ContainerSpec) -> dict[str, Any]:
    """Arguments of the library's `create`."""
    from docker.types import DeviceRequest

    optional = {
        "command": list(spec.command),
        "group_add": list(spec.groups),
        "runtime": spec.runtime,
        "network": spec.network,
        "ipc_mode": spec.ipc,
        "mem_limit": spec.memory,
        "user": spec.user,
        "device_requests": [DeviceRequest(driver="nvidia", count=-1, capabilities=[["gpu"]])] if spec.gpu else [],
    }
    return {
        "image": spec.image,
        "name": name,
        "labels": {DIGEST: spec.digest},
        "environment": spec.environment,
        "ports": {f"{inside}/tcp": _address(outside) for inside, outside in spec.ports.items()},
        "volumes": [_volume(source, target) for target, source in spec.volumes.items()],
        "devices": [f"{device}:{device}:rw" for device in spec.devices],
        "read_only": True,
        "tmpfs": {"/tmp": "mode=1777,size=256m"},
        "pids_limit": 1024,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
        # It comes back from a crash. After a start of the machine whoever deploys says which side serves.
        "restart_policy": {"Name": "on-failure"},
        "log_config": {"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}},
        **{key: value for key, value in optional.items() if value},
    }


def _address(outside: str) -> tuple[str, int]:
    host, _, port = outside.rpartition(":")
    return host.strip("[]"), int(port)


def _volume(source: str, target: str) -> str:
    return f"{source.removesuffix(':ro')}:{target}:{'ro' if source.endswith(':ro') else 'rw'}"
