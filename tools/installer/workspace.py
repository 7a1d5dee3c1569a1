"""The built package: colcon makes install/ from the source tree, as on a robot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from installer import stamp
from installer.console import Step
from installer.process import clean_environment, run
from installer.venv import Environment

CHECK = "import rclpy; from edge_ai.msg import InferenceResult; from edge_ai.srv import CloudInference"


class Workspace:
    """build/ and install/ of one source tree.

    Args:
        environment: the virtual environment to build against.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment, self.root = environment, environment.root
        self._note = self.root / "install" / ".edge-ai-setup.json"

    def wanted(self) -> dict[str, str]:
        """What the note of a finished build says."""
        environment = self._environment.wanted()
        made_with = [environment[key] for key in ("root", "base", "python")]
        return {"with": stamp.digest(made_with), "inputs": stamp.build_inputs(self.root)}

    def is_ready(self) -> bool:
        """Whether it was built from today's sources."""
        return stamp.read(self._note) == self.wanted()

    def make(self, log: Path, steps: str) -> None:
        """Build; from nothing unless a build of ours with the same interpreter is there.

        Raises:
            SetupError: colcon failed, or the result cannot be imported.
        """
        wanted = self.wanted()
        if stamp.read(self._note).get("with") != wanted["with"]:
            for name in ("build", "install"):
                shutil.rmtree(self.root / name, ignore_errors=True)
        self._note.unlink(missing_ok=True)
        step = Step(f"{steps} building the interfaces with colcon")
        env = self._build_variables()
        run(self._command(), log=log, env=env, cwd=self.root, step=step, state=lambda _: "compiling")
        check = ["sh", "-c", f'. ./env.sh && exec python -c "{CHECK}"']
        run(check, log=log, env=clean_environment({}), cwd=self.root, step=step, state=lambda _: "checking")
        step.done()
        stamp.write(self._note, wanted)

    def _command(self) -> list[str | Path]:
        python, programs = self._environment.python, self._environment.folder / "bin"
        colcon = [python, programs / "colcon", "--log-base", "log", "build", "--paths", ".", "--merge-install"]
        found = [f"-DPython3_EXECUTABLE={python}", f"-DPYTHON_EXECUTABLE={python}"]
        return [*colcon, "--symlink-install", "--cmake-args", "-GNinja", *found]

    def _build_variables(self) -> dict[str, str]:
        folder = self._environment.folder
        path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        prefix = str(folder)
        return clean_environment({"PATH": path, "AMENT_PREFIX_PATH": prefix, "CMAKE_PREFIX_PATH": prefix})
