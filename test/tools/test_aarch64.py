"""Where emulation makes sense, what is said where it does not, and when what the model sees is the same."""

import subprocess
import sys

import pytest

SEEN = [{"label": "person", "score": 0.9, "box": [1.0, 2.0, 3.0, 4.0]}]


def answer(frames):
    return {"machine": "m", "python": "3", "backend": "b", "threshold": 0.4, "seconds": 1.0, "frames": frames}


def test_only_another_processor_on_linux_is_emulated():
    from aarch64 import unfit

    assert unfit("Linux", "x86_64") == ""
    assert "make test is the test" in unfit("Linux", "aarch64")
    assert "this is Darwin" in unfit("Darwin", "x86_64")


def test_without_apt_it_is_skipped_with_the_reason(root, tmp_path, plain_environment):
    code = (
        f"import sys, pathlib; sys.path.insert(0, {str(root / 'tools')!r}); sys.argv = ['aarch64.py']\n"
        f"import aarch64; aarch64.OUT = pathlib.Path({str(tmp_path)!r}); sys.exit(aarch64.main())"
    )
    environment = {**plain_environment, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("SKIPPED: ")


@pytest.mark.parametrize(
    ("there", "status", "words"),
    [
        ({"1.png": SEEN}, 0, "the same, 1 objects"),
        ({"1.png": []}, 1, "FAILED, 0 objects"),
        ({"1.png": [{**SEEN[0], "score": 0.5}]}, 1, "FAILED, 1 objects"),
    ],
)
def test_the_status_says_whether_the_model_sees_the_same(monkeypatch, tmp_path, capsys, there, status, words):
    import aarch64
    from emulation.root import Root

    root = Root(tmp_path)
    monkeypatch.setattr(aarch64, "frames", lambda folder: [])
    monkeypatch.setattr(aarch64, "look", lambda python, _: answer(there if python == root.python else {"1.png": SEEN}))
    assert aarch64.run_model(root) == status
    assert words in capsys.readouterr().out


def test_a_model_that_ends_with_an_error_is_a_failure(monkeypatch, tmp_path, capsys):
    import aarch64
    from emulation.root import Root

    monkeypatch.setattr(aarch64, "frames", lambda folder: [tmp_path / "no-picture.png"])
    assert aarch64.run_model(Root(tmp_path)) == 1
    assert "FAILED" in capsys.readouterr().out
