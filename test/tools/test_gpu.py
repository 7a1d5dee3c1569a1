"""The one command for a machine with a GPU: what it says where there is none, and what it would install."""

import pytest


def test_wrong_words_are_refused(capsys):
    import gpu

    assert gpu.main(["dance"]) == 1
    assert "got dance; wanted test or bench" in capsys.readouterr().err


def test_a_machine_without_a_driver_is_told_so(monkeypatch, capsys):
    import gpu

    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(gpu.ctypes, "CDLL", missing)
    assert gpu.main(["test"]) == 1
    assert "no NVIDIA driver" in capsys.readouterr().err


@pytest.mark.parametrize(("offered", "used"), [(11040, 11), (12060, 12), (13000, 13), (14010, 13)])
def test_the_drivers_cuda_decides(monkeypatch, offered, used):
    import gpu

    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _: Driver(offered))
    assert gpu.driver() == used


@pytest.mark.parametrize(("offered", "status", "said"), [(10020, 0, "CUDA 10"), (0, 999, "gave 999")])
def test_a_driver_that_will_not_do(monkeypatch, capsys, offered, status, said):
    import gpu

    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _: Driver(offered, status))
    assert gpu.main(["test"]) == 1
    assert said in capsys.readouterr().err


def test_a_pc_gets_wheels_for_its_driver(monkeypatch):
    import gpu

    made = {}
    monkeypatch.setattr(gpu, "has_tensorrt", lambda _: False)
    monkeypatch.setattr(gpu.beside, "make", lambda program, folder, lines, **more: made.update(lines=lines, **more))
    gpu.environment(12)
    assert any(line.startswith("tensorrt-cu12") for line in made["lines"])
    assert any(line.startswith("cuda-bindings>=12.9,<13") for line in made["lines"])
    assert any(line.startswith("onnxruntime") for line in made["lines"])
    assert "system" not in made
    with pytest.raises(gpu.SetupError, match="CUDA 11"):
        gpu.environment(11)


def test_a_jetson_uses_what_jetpack_has(monkeypatch):
    import sys

    import gpu

    made = {}
    monkeypatch.setattr(gpu, "has_tensorrt", lambda _: True)
    monkeypatch.setattr(gpu, "JETPACK_PYTHON", sys.executable)
    monkeypatch.setattr(gpu.beside, "make", lambda program, folder, lines, **more: made.update(lines=lines, **more))
    gpu.environment(13)
    assert made["system"] is True
    assert not any(line.startswith(("tensorrt", "numpy")) for line in made["lines"])


def test_an_environment_is_made_once(monkeypatch, tmp_path):
    from installer import beside

    ran = []

    def run(words, **_):
        ran.append(words)
        (tmp_path / "env" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "env" / "bin" / "python").touch()

    monkeypatch.setattr(beside, "run", run)
    for _ in range(2):
        assert beside.make("python3", tmp_path / "env", ["a>=1"], system=True) == tmp_path / "env" / "bin" / "python"
    assert [str(words[2]) for words in ran] == ["venv", "pip"]
    assert "--system-site-packages" in ran[0]
    beside.make("python3", tmp_path / "env", ["a>=2"])
    assert len(ran) == 4


class Driver:
    """The driver's library."""

    def __init__(self, version, status=0):
        self._version, self._status = version, status

    def cuDriverGetVersion(self, pointer):  # noqa: N802 (the driver's name)
        pointer._obj.value = self._version
        return self._status
