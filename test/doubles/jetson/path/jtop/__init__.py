"""A double of jetson-stats at its documented interface, with a service in this process that fails as the real one does.

Shapes and units are those of jetson-stats 4.3 to 7.2: https://rnext.it/jetson_stats/reference/jtop.html. Written from
the documentation; nothing of it is copied. Tests reach the service through `service`.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

TICK = 0.01  # s between two answers of the service


class JtopException(Exception):  # noqa: N818 - the library's own name
    pass


class Service:
    """What the real one knows and does, on a Jetson Orin Nano; tests change it as they like.

    Attributes:
        fault: "" | "inactive" | "permission" | "hangs" | "lost" | "stuck".
        obeys: False: it takes commands and does nothing about them.
        commands: all that it was asked to do.
    """

    def __init__(self) -> None:
        self.fault, self.obeys = "", True
        self.commands: list[tuple[str, Any]] = []
        self.connections = 0
        self.released = threading.Event()
        self.uptime = 100.0
        self.hardware = {
            "Module": "NVIDIA Jetson Orin Nano (Developer kit)",
            "Jetpack": "6.2",
            "P-Number": "p3767-0005",
        }
        self.gpu = {
            "gpu": {
                "type": "integrated",
                "status": {"railgate": False, "tpc_pg_mask": True, "3d_scaling": True, "load": 43.7},
                "freq": {"governor": "nvhost_podgov", "min": 306000, "max": 624750, "cur": 612000, "GPC": [612000]},
            }
        }
        self.memory = {"RAM": {"tot": 7_802_000, "used": 3_000_000, "free": 4_000_000, "shared": 512_000, "lfb": 3}}
        self.temperature = {
            "cpu": {"temp": 51.7, "online": True},
            "gpu": {"temp": 48.5, "online": True},
            "cv0": {"temp": -256, "online": False},
        }
        rail = {"online": True, "type": "INA3221", "volt": 4960, "warn": 3000, "crit": 5000}
        self.power = {
            "rail": {"VDD_CPU_GPU_CV": {**rail, "curr": 300, "power": 1488, "avg": 1400}},
            "tot": {**rail, "curr": 1150, "power": 5704, "avg": 5600, "name": "VDD_IN"},
        }
        self.fan = {"pwmfan": {"speed": [30.0], "rpm": [1800], "profile": "quiet", "governor": "cont"}}
        self.profiles = {"pwmfan": ["quiet", "cool", "manual"]}
        self.engine = {
            "NVDEC": {"NVDEC": {"online": True, "cur": 524_800}},
            "VIC": {"VIC": {"online": False, "cur": 0}},
        }
        self.models = ["15W", "7W", "MAXN_SUPER"]
        self.reachable = [True, True, False]
        self.model, self.clocks, self.clocks_state = 0, False, "inactive"
        self.has_nvpmodel = self.has_clocks = True

    def tick(self) -> None:
        """Go on by one answer, and do what was asked for since the last one."""
        if self.fault != "stuck":
            self.uptime += TICK

    def take(self, kind: str, value: Any) -> None:
        """A command of a client."""
        self.commands.append((kind, value))
        if not self.obeys:
            return
        if kind == "nvp":
            self.model = value
        elif kind == "jc":
            self.clocks = value
        elif kind == "fan":
            self.fan[value[0]]["profile"] = value[1]


service = Service()


def restart() -> Service:
    """A service without a past."""
    global service  # noqa: PLW0603 - as the real one, it is there once
    service.released.set()
    service = Service()
    return service


class _Table(dict):  # type: ignore[type-arg]
    """As the library's own classes, which answer like dictionaries."""


class _Fan(_Table):
    def all_profiles(self, name: str) -> list[str]:
        if name not in self:
            raise JtopException(f'Fan "{name}" does not exist')
        return service.profiles[name]

    def get_profile(self, name: str) -> str:
        return str(self[name]["profile"])

    def set_profile(self, name: str, profile: str) -> None:
        if profile not in self.all_profiles(name):
            raise JtopException(f'Profile "{profile}" does not exist')
        if profile != self.get_profile(name):
            service.take("fan", (name, profile))


class _NvpModel:
    def __init__(self) -> None:
        self.id, self.status = service.model, list(service.reachable)
        self.models = list(service.models)

    @property
    def name(self) -> str:
        return self.models[self.id]

    def is_running(self) -> bool:
        return False

    def set_nvpmodel_id(self, nvpmodel_id: int, force: bool = False) -> None:
        if not isinstance(nvpmodel_id, int):
            raise ValueError("Use an int")
        if not 0 <= nvpmodel_id < len(self.models):
            raise JtopException(f"NV Power Model ID {nvpmodel_id} does not exists!")
        if nvpmodel_id != self.id or force:
            service.take("nvp", nvpmodel_id)


class _JetsonClocks:
    def __init__(self) -> None:
        self.on, self.thread = service.clocks, service.clocks_state

    def __bool__(self) -> bool:
        return self.on

    @property
    def status(self) -> str:
        return "running" if self.on else self.thread

    def set_enable(self, enable: bool) -> None:
        if not isinstance(enable, bool):
            raise ValueError("Use a boolean")
        if enable is not self.on:
            service.take("jc", enable)


class jtop(threading.Thread):  # noqa: N801 - the library's own name
    def __init__(self, interval: float = 1.0) -> None:
        super().__init__(daemon=True)
        self._interval = TICK if interval == 1.0 else interval
        self._trigger = threading.Event()
        self._observers: set[Any] = set()
        self._error: Exception | None = None
        self._running = False
        self.nvpmodel: _NvpModel | None = None
        self.jetson_clocks: _JetsonClocks | None = None
        self.fan = _Fan()

    def attach(self, observer: Any) -> None:
        self._observers.add(observer)

    def detach(self, observer: Any) -> None:
        self._observers.discard(observer)

    def start(self) -> None:
        if service.fault == "hangs":
            service.released.wait()
        if service.fault == "inactive":
            raise JtopException("The jtop.service is not active. Please run:\nsudo jtop --install-service")
        if service.fault == "permission":
            raise JtopException("I can't access jtop.service.\nPlease logout or reboot this board.")
        service.connections += 1
        self.nvpmodel = _NvpModel() if service.has_nvpmodel else None
        self.jetson_clocks = _JetsonClocks() if service.has_clocks else None
        self._take()
        self._running = True
        super().start()

    def run(self) -> None:
        wait = threading.Event().wait
        try:
            while self._running:
                wait(self._interval)
                service.tick()
                self._take()
        except Exception as error:
            self._error = error

    def _take(self) -> None:
        if service.fault == "lost":
            raise JtopException("Lost connection with jtop server")
        if self.nvpmodel is not None:
            self.nvpmodel.__init__()  # type: ignore[misc]
        if self.jetson_clocks is not None:
            self.jetson_clocks.__init__()  # type: ignore[misc]
        self.fan.update({name: dict(state) for name, state in service.fan.items()})
        self._trigger.set()
        for observer in self._observers:
            observer(self)

    def ok(self, spin: bool = False) -> bool:
        if not spin and not self._trigger.wait(3 * self._interval + 1.0):
            self._running = False
        if self._error:
            raise self._error
        if self._running:
            self._trigger.clear()
        return self._running

    def close(self) -> None:
        self._running = False

    def __enter__(self) -> jtop:
        self.start()
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        self.close()
        return traceback is None

    @property
    def board(self) -> dict[str, Any]:
        return {"platform": {}, "hardware": dict(service.hardware), "libraries": {}}

    @property
    def gpu(self) -> dict[str, Any]:
        return _Table(service.gpu)

    @property
    def memory(self) -> dict[str, Any]:
        return _Table(service.memory)

    @property
    def temperature(self) -> dict[str, Any]:
        return dict(service.temperature)

    @property
    def power(self) -> dict[str, Any]:
        return dict(service.power)

    @property
    def engine(self) -> dict[str, Any]:
        return dict(service.engine)

    @property
    def uptime(self) -> timedelta:
        return timedelta(seconds=service.uptime)
