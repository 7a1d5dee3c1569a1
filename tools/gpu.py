"""What only an NVIDIA GPU can prove: python tools/gpu.py test | bench

Runs in an environment of its own, out/gpu/, without ROS: on a Jetson with the TensorRT that JetPack has put into the
system's Python, elsewhere with TensorRT's wheels for the CUDA that the driver offers.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from installer import beside, requirements
from installer.console import SetupError, say
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "out" / "gpu"
COMMANDS = {"test": ["pytest", "--gpu", "-m", "gpu", "test"], "bench": ["benchmarks", "--only", "gpu"]}
JETPACK_PYTHON = "/usr/bin/python3"
BINDINGS = {11: "pycuda", 12: "cuda12", 13: "cuda13"}
OLDEST_WHEEL = 12
ASK = "import tensorrt; tensorrt.IExecutionContext.execute_async_v3"


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status."""
    try:
        if len(arguments) < 1 or arguments[0] not in COMMANDS:
            raise SetupError(f"got {' '.join(arguments) or 'nothing'}; wanted {' or '.join(COMMANDS)}")
        python = environment(driver())
    except SetupError as error:
        say(f"gpu.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    what, *more = arguments
    env = clean_environment({"PYTHONPATH": str(ROOT)})
    return subprocess.run([python, "-m", *COMMANDS[what], *more], cwd=ROOT, env=env, check=False).returncode


def driver() -> int:
    """The major version of CUDA that the driver offers, one of those in `BINDINGS`.

    Raises:
        SetupError: there is no driver, or it is too old.
    """
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise SetupError("no NVIDIA driver on this machine (libcuda.so.1); the GPU's tests need one") from None
    version = ctypes.c_int()
    if status := library.cuDriverGetVersion(ctypes.byref(version)):
        raise SetupError(f"the NVIDIA driver does not answer: cuDriverGetVersion gave {status}; see `nvidia-smi`")
    major = version.value // 1000
    if major < min(BINDINGS):
        raise SetupError(f"the driver offers CUDA {major}; wanted {min(BINDINGS)} or newer (JetPack 5 or newer)")
    return min(major, max(BINDINGS))


def environment(cuda: int) -> Path:
    """The Python of an environment with TensorRT.

    Raises:
        SetupError: pip failed.
    """
    groups = ["test", "bench-gpu", BINDINGS[cuda]]
    if has_tensorrt(JETPACK_PYTHON):
        return beside.make(JETPACK_PYTHON, FOLDER, wanted(JETPACK_PYTHON, groups), system=True)
    if cuda < OLDEST_WHEEL:
        raise SetupError(f"no TensorRT of 8.5 or newer in {JETPACK_PYTHON}, and no wheel of it for CUDA {cuda}")
    return beside.make(sys.executable, FOLDER, wanted("", [*groups, f"tensorrt-cu{cuda}"]))


def has_tensorrt(program: str) -> bool:
    """Whether an interpreter has a TensorRT that the package can use."""
    try:
        done = subprocess.run([program, "-c", ASK], env=clean_environment({}), capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def wanted(program: str, groups: Sequence[str]) -> list[str]:
    """Requirement lines; of the package's own only those that an interpreter lacks, which may have NVIDIA's builds."""
    lines = requirements.read(ROOT / "setup.cfg", groups)
    if not program:
        return [*requirements.read(ROOT / "setup.cfg", [requirements.CORE]), *lines]
    needs = [program, str(ROOT / "tools" / "bootstrap.py"), "needs"]
    done = subprocess.run(needs, env=clean_environment({}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{program} cannot say what it lacks: {done.stderr.strip()[-300:]}")
    return [*done.stdout.split("\n")[:-1], *lines]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
