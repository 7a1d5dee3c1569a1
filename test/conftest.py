"""Machines with an NVIDIA GPU: a real one with --gpu, else doubles of one."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--gpu", action="store_true", help="run what needs an NVIDIA GPU; fails where there is none")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what runs in its background with signals ignored, nohup does, and programs under test inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # ignored here as before, but by nobody who is started
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU with TensorRT; `make test-gpu` runs these")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--gpu"):
        return
    skip = pytest.mark.skip(reason="needs an NVIDIA GPU with TensorRT: make test-gpu")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Robots under test keep recordings and the like in a folder of their own, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield


VERSIONS = ("8.5.2", "8.6.1", "10.3.0", "10.13.3", "11.4.0")
BINDINGS = ("pycuda", "cuda-bindings")


@dataclass(frozen=True)
class GpuMachine:
    """Where a test runs.

    Attributes:
        binding: the CUDA binding to use.
        real: whether there is a real GPU, or doubles of one.
    """

    binding: str
    real: bool = False


class DoubleGpu:
    """Makes pretended machines: call it again and the machine is another one."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def __call__(self, *, binding: str = "cuda-bindings", **make: Any) -> GpuMachine:
        """A machine; ``trt``, ``gpu`` and ``fault`` as for `configure` of test/doubles/machine.py."""
        self._machine.configure(**make)
        return GpuMachine(binding)

    def set_fault(self, fault: str) -> None:
        """Let something go wrong from now on, or no more."""
        self._machine.set_fault(fault)

    def deserialized(self) -> int:
        """How many engines this process has tried to deserialise."""
        return int(self._machine.counted("deserialized"))

    def plan_module(self) -> Any:
        """The double's own reader of engines."""
        return importlib.import_module("tensorrt._plan")

    def calibrated_on(self) -> list[list[float]]:
        """What the calibrator gave, batch by batch, of the first input."""
        return list(self._machine.seen("calibrated"))

    def asked(self, plan: bytes) -> dict[str, Any]:
        """What the engine was built with."""
        head: dict[str, Any] = self.plan_module().read(plan)[0]
        return head

    def copies(self) -> int:
        """How many copies the device has made for this process."""
        return int(self._machine.counted("copies"))


@pytest.fixture
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Engines and keys of the test, not of the user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def double_gpu(own_folders: None) -> Iterator[DoubleGpu]:
    """Makes pretended machines, see test/doubles."""
    machine = _machine()
    with machine.installed():
        yield DoubleGpu(machine)


REAL = pytest.param(("real", "auto"), marks=pytest.mark.gpu)


@pytest.fixture(params=[*[(v, b) for v in VERSIONS for b in BINDINGS], REAL], ids="-".join)
def gpu_machine(request: pytest.FixtureRequest, own_folders: None) -> Iterator[GpuMachine]:
    """Every version of TensorRT with every binding, pretended; with --gpu the real one."""
    with _gpu_machine(*request.param) as machine:
        yield machine


@pytest.fixture(params=[*[("10.3.0", b) for b in BINDINGS], REAL], ids="-".join)
def gpu_binding(request: pytest.FixtureRequest, own_folders: None) -> Iterator[GpuMachine]:
    """As `gpu_machine`, with one version: for what does not touch TensorRT."""
    with _gpu_machine(*request.param) as machine:
        yield machine


@pytest.fixture(params=[("10.3.0", "cuda-bindings"), REAL], ids="-".join)
def one_gpu_machine(request: pytest.FixtureRequest, own_folders: None) -> Iterator[GpuMachine]:
    """As `gpu_machine`, one of them only: for what takes its time."""
    with _gpu_machine(*request.param) as machine:
        yield machine


@contextlib.contextmanager
def _gpu_machine(version: str, binding: str) -> Iterator[GpuMachine]:
    if version == "real":
        yield GpuMachine(binding, real=True)
        return
    machine = _machine()
    with machine.installed():
        machine.configure(trt=version)
        yield GpuMachine(binding)


def _machine() -> Any:
    path = Path(__file__).parent / "doubles" / "machine.py"
    spec = importlib.util.spec_from_file_location("edge_ai_double_machine", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
