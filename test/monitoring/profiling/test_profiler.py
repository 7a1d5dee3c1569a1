"""The whole way: a profile of this process, and the files it leaves."""

import json
import threading
import time
import zlib

import pytest

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.core.spans import profiled, recording
from edge_ai.monitoring.profiling.profile import profile_folder
from edge_ai.monitoring.profiling.profiler import Profiler


@profiled(name="crunch")
def crunch():
    zlib.compress(bytes(range(256)) * 400, 6)


@pytest.fixture(name="worker", autouse=True)
def _worker():
    end = threading.Event()

    def work():
        while not end.is_set():
            crunch()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    end.set()
    thread.join()


def test_a_trace_for_a_time(tmp_path):
    done = Profiler("front/inference").profile(0.3, "trace", tmp_path)
    (path,) = done.files
    assert path.name.startswith("front_inference_trace_")
    events = json.loads(path.read_text())["traceEvents"]
    assert {event["name"] for event in events if event["ph"] == "X"} == {"crunch"}
    assert [one.name for one in done.bottlenecks] == ["crunch"]
    assert "crunch" in done.message
    assert done.seconds >= 0.3
    assert recording() is None


def test_a_flame_graph_for_a_time_is_what_one_gets_without_asking(tmp_path):
    done = Profiler("inference", rate=100).profile(0.5, folder=tmp_path)
    page, text = done.files
    assert (page.suffix, text.suffix) == (".html", ".folded")
    assert "crunch" in page.read_text()
    assert "worker;" in text.read_text()
    assert any("crunch" in one.name for one in done.bottlenecks)
    assert sorted(tmp_path.iterdir()) == sorted(done.files)


@pytest.mark.parametrize("kind", ["trace", "sampling"])
def test_around_a_block(tmp_path, kind):
    with Profiler("block").during(kind, tmp_path) as done:
        assert done.files == ()
        for _ in range(30):
            crunch()
    assert done.kind == kind
    assert all(path.exists() for path in done.files)
    assert done.message


def test_a_block_that_fails_leaves_no_file_and_the_profiler_free(tmp_path):
    profiler = Profiler("block")
    for kind in ("trace", "sampling"):
        with pytest.raises(ValueError, match="its own"), profiler.during(kind, tmp_path):
            raise ValueError("its own")
    assert list(tmp_path.iterdir()) == []
    assert profiler.profile(0.05, "trace", tmp_path).files


def test_one_profile_at_a_time_and_it_may_be_ended_early(tmp_path):
    profiler, done = Profiler("long"), []
    thread = threading.Thread(target=lambda: done.append(profiler.profile(500, "trace", tmp_path)))
    thread.start()
    until = time.monotonic() + 20
    while recording() is None and time.monotonic() < until:
        time.sleep(0.001)
    with pytest.raises(EdgeAIError, match="under way"):
        profiler.profile(0.1, "trace", tmp_path)
    with pytest.raises(EdgeAIError, match="recorded already"):
        Profiler("other").profile(0.1, "trace", tmp_path)
    profiler.stop()
    thread.join(20)
    assert done[0].files[0].exists()
    assert done[0].seconds < 100


def test_profiles_of_the_same_second_do_not_overwrite_each_other(tmp_path):
    profiler = Profiler("quick")
    paths = [profiler.profile(0.01, "trace", tmp_path).files[0] for _ in range(3)]
    assert len(set(paths)) == 3


def test_a_sampler_that_fails_ends_the_profile_at_once(tmp_path):
    class Nothing:
        name, rate = "nothing", 1.0

        def sample(self, seconds, rate=0.0, stop=None):
            raise EdgeAIError("the sampler may not look")

    with pytest.raises(EdgeAIError, match="may not look"):
        Profiler("x", sampler=Nothing()).profile(100, "sampling", tmp_path)


@pytest.mark.parametrize(("seconds", "kind"), [(-1, "trace"), (1e6, "trace"), (float("nan"), ""), (1, "video")])
def test_wrong_wishes_are_refused(tmp_path, seconds, kind):
    with pytest.raises(ParameterError):
        Profiler().profile(seconds, kind, tmp_path)


def test_files_that_cannot_be_written_are_an_error_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EdgeAIError, match="folder"):
        Profiler().profile(0.01, "trace", tmp_path / "file" / "below")


def test_the_default_folder_is_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert profile_folder() == tmp_path / "edge_ai" / "profiles"
    assert profile_folder().is_dir()


def test_a_user_without_a_home_has_to_name_a_folder(monkeypatch, tmp_path):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as in a container
    assert profile_folder(tmp_path) == tmp_path
    with pytest.raises(EdgeAIError, match="name another folder"):
        profile_folder()
