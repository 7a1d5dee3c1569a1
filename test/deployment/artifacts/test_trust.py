"""What a robot must refuse, each with a set that would do but for one thing."""

import os
import shutil
import threading
from datetime import timedelta

import pytest

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts import store as store_module
from edge_ai.deployment.artifacts.files import verified
from edge_ai.deployment.artifacts.manifest import MANIFEST, FileEntry
from edge_ai.deployment.artifacts.trust import AdmittedSet


def refused(robot, folder, said, **changes):
    """A set is refused in such words, and leaves the store as it was."""
    before = robot.memory()
    with pytest.raises(ArtifactError, match=said):
        robot.trust(**changes).admit(folder)
    assert robot.memory() == before


def test_a_sound_set_is_copied_into_the_store(make, robot):
    folder = make()
    admitted = robot.trust().admit(folder)
    assert isinstance(admitted, AdmittedSet)
    assert (admitted.name, admitted.version) == ("detector", 3)
    assert admitted.folder.parent == robot.store / "sets"
    assert admitted.card.read_bytes() == (folder / "detector.yaml").read_bytes()
    assert (admitted.engine / "engine.plan").read_bytes() == (folder / "engine/engine.plan").read_bytes()
    assert admitted.golden == admitted.folder / "golden"
    assert admitted.config == admitted.folder / "params.yaml"
    assert robot.trust().admitted(folder) == admitted, "a restart finds it"
    assert robot.trust().admitted(admitted.folder) == admitted
    shutil.rmtree(folder)
    assert robot.trust().admitted(admitted.folder) == admitted, "whoever brought it may take it away again"


def test_a_changed_byte_in_any_file_is_refused(make, robot):
    folder = make()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(paths) == 10
    for path in paths:
        data = path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(ArtifactError):
                robot.trust().admit(folder)
        path.write_bytes(data)
    assert robot.kept() == set()
    robot.trust().admit(folder)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b""])
def test_a_longer_or_shorter_file_is_refused(make, robot, change):
    path = make() / "detector.onnx"
    path.write_bytes(change(path.read_bytes()))
    refused(robot, path.parent, r"'detector\.onnx': got other bytes than were signed")


def test_an_extra_file_is_refused(make, robot):
    folder = make()
    (folder / "golden/evil.so").write_bytes(b"code")
    refused(robot, folder, r"does not list: golden/evil\.so")


def test_a_missing_and_a_renamed_file_are_refused(make, robot):
    folder = make()
    (folder / "report.json").unlink()
    refused(robot, folder, r"no report\.json")
    (folder / "labels.txt").rename(folder / "names.txt")
    refused(robot, folder, r"does not list: names\.txt")


def test_a_link_is_refused_even_to_the_right_bytes(make, robot, tmp_path):
    folder = make()
    shutil.move(folder / "detector.onnx", tmp_path / "elsewhere.onnx")
    (folder / "detector.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    refused(robot, folder, r"a link 'detector\.onnx'")
    with pytest.raises(ArtifactError, match="symbolic links"):
        list(verified(folder, "detector.onnx", FileEntry(sha256="a" * 64, size=1, role="model")))
    (folder / "detector.onnx").unlink()
    shutil.move(tmp_path / "elsewhere.onnx", folder / "detector.onnx")
    shutil.move(folder / "golden", tmp_path / "golden")
    (folder / "golden").symlink_to(tmp_path / "golden")
    refused(robot, folder, "a link 'golden'")


def test_a_pipe_in_a_files_place_is_refused_and_not_waited_for(make, robot):
    folder = make()
    (folder / "detector.onnx").unlink()
    os.mkfifo(folder / "detector.onnx")
    refused(robot, folder, r"a device or pipe 'detector\.onnx'")
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)
    with pytest.raises(ArtifactError, match="no plain file"):
        robot.trust().admit(folder)


def test_a_file_of_another_set_is_refused(make, robot):
    """Both are signed, both are good; together they are nobody's set."""
    one, other = make(3), make(4)
    for inside in ("detector.onnx", "engine/engine.plan", "detector.yaml", "params.yaml"):
        data = (one / inside).read_bytes()
        shutil.copyfile(other / inside, one / inside)
        refused(robot, one, rf"'{inside}': got other bytes")
        (one / inside).write_bytes(data)
    shutil.copyfile(other / MANIFEST, one / MANIFEST)
    refused(robot, one, "got other bytes")


def test_an_unsigned_folder_says_how_to_sign_it(robot, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(ArtifactError, match=r"No such file.*edge-ai sign CARD --into SET"):
        robot.trust().admit(tmp_path / "plain")


def test_a_strangers_set_is_refused(make, robot, stranger):
    refused(robot, make(keys=[stranger]), "no signature that verifies")


def test_a_key_that_is_taken_back_takes_back_what_it_let_in(make, robot, stranger, key_file):
    folder = make()
    admitted = robot.trust().admit(folder)
    with pytest.raises(ArtifactError, match="no signature that verifies"):
        robot.trust(keys=[key_file(stranger, "new.pub")]).admitted(admitted.folder)


def test_without_a_key_nothing_is_judged(robot):
    with pytest.raises(ArtifactError, match="wanted files of public keys"):
        robot.trust(keys=[])


def test_a_set_for_another_device_is_refused(make, robot):
    folder = make(targets=("agx_orin", "thor"))
    refused(robot, folder, r"a set for agx_orin, thor; wanted one for orin_nano or orin_nano_8")
    robot.trust(device=("thor", "thor_t5000")).admit(folder)
    with pytest.raises(ArtifactError, match="a set for agx_orin"):
        robot.trust().admitted(folder)
    robot.trust(device=("generic_pc",)).admit(make(4, targets=("any",)))


@pytest.mark.parametrize("here", [{}, {"tensorrt": ""}, {"tensorrt": "10.30.1"}, {"tensorrt": "8.6"}])
def test_a_set_for_other_software_is_refused(make, robot, here):
    folder = make(software={"tensorrt": "10.3", "jetpack": "6"})
    refused(robot, folder, r"tensorrt \S+ where it needs 10\.3", software={"jetpack": "6.2", **here})


def test_what_was_admitted_outlives_an_update_of_the_software(make, robot, caplog):
    folder = make(software={"tensorrt": "10.3"})
    robot.trust(software={"tensorrt": "10.3.0.26"}).admit(folder)
    assert robot.trust(software={"tensorrt": "10.13.3"}).admitted(folder)
    assert "tensorrt 10.13.3 where it needs 10.3" in caplog.text


def test_an_expired_set_is_refused_but_goes_on_where_it_was_admitted(make, robot, caplog):
    known, late = make(3, days=30), make(4, days=30)
    robot.trust().admit(known)
    robot.let(days=31)
    refused(robot, late, r"it expired at .*edge-ai sign --expires")
    assert robot.trust().admitted(known).version == 3
    assert "goes on, for it was admitted earlier: got it expired" in caplog.text


def test_a_clock_that_stands_still_or_goes_back_lets_no_expired_set_in(make, robot):
    """It was later once: at a start, at an admission, or when a set was signed."""
    first, old = make(3), make(4, days=30)
    robot.trust().admit(first)
    robot.let(days=40)
    robot.trust().admitted(first)
    for back in (timedelta(days=20), timedelta(days=20000)):
        robot.time -= back
        refused(robot, old, r"clock.*which this robot has seen.*timedatectl")
        assert robot.trust().admitted(first), "what serves goes on"
        robot.time += back


def test_the_hour_that_clocks_may_differ_is_no_hour_more_to_live(make, robot):
    first, old = make(3), make(4, days=1)
    robot.trust().admit(first)
    robot.let(days=1, minutes=5)
    robot.trust().admitted(first)
    robot.time -= timedelta(minutes=30)
    refused(robot, old, "it expired")


def test_a_clock_that_has_always_been_wrong_is_told_by_the_date_of_the_set(make, robot):
    robot.time -= timedelta(days=365 * 50)
    refused(robot, make(), r"clock.*before 20.*which the set was signed at")


def test_a_set_from_the_far_future_does_not_spoil_the_time(make, robot, sign_again):
    folder = make()
    sign_again(folder, created="2200-01-01T00:00:00Z", expires="2300-01-01T00:00:00Z")
    refused(robot, folder, "which the set was signed at")
    robot.trust().admit(make(4))


def test_no_step_back_behind_a_version_that_has_proved_itself(make, robot):
    old, new = make(3), make(4)
    trust = robot.trust()
    before = trust.admit(old)
    after = trust.admit(new)
    assert trust.admit(old) == before, "until then one may go back"
    trust.confirm(trust.admit(new))
    assert robot.kept() == {after.digest}
    refused(robot, old, r"an older version; wanted 4 or newer.*as a newer version")
    with pytest.raises(ArtifactError, match="an older version"):
        robot.trust().confirm(before)
    assert robot.trust().admitted(new) == after
    assert robot.trust().admit(make(3, name="other")).version == 3, "each line of sets has its own versions"


def test_an_old_set_that_lies_in_the_store_already_is_no_way_back(make, robot):
    old, trust = make(3), robot.trust()
    before = trust.admit(old)
    kept = shutil.copytree(before.folder, old.parent / "kept")
    trust.confirm(trust.admit(make(4)))
    shutil.copytree(kept, before.folder)
    with pytest.raises(ArtifactError, match="an older version"):
        robot.trust().admit(before.folder)
    assert robot.trust().admitted(before.folder) is None


def test_two_sets_of_one_version_are_told_apart(make, robot):
    trust = robot.trust()
    trust.confirm(trust.admit(make(4)))
    refused(robot, make(4, into="twin"), "another set than the version 4")


def test_signing_a_set_anew_makes_no_other_set_of_it(make, robot, sign_again, release, stranger, key_file):
    """A new key takes over without a new version."""
    folder, trust = make(4), robot.trust()
    trust.confirm(trust.admit(folder))
    sign_again(folder, keys=[stranger])
    assert robot.trust(keys=[key_file(stranger, "new.pub")]).admitted(folder).version == 4


def test_at_most_two_sets_of_a_line_are_kept(make, robot):
    trust = robot.trust()
    confirmed = trust.admit(make(1))
    trust.confirm(confirmed)
    for version in range(2, 6):
        last = trust.admit(make(version))
        assert robot.kept() == {confirmed.digest, last.digest}


def test_what_is_changed_after_the_check_is_not_what_is_used(make, robot):
    """Whoever brought the set cannot put another file in its place once it has been judged."""
    folder = make()
    model = (folder / "detector.onnx").read_bytes()
    admitted = robot.trust().admit(folder)
    (folder / "detector.onnx").write_bytes(b"evil")
    assert (admitted.folder / "detector.onnx").read_bytes() == model


def test_files_changed_while_they_are_judged_never_get_in_unverified(make, robot):
    """A writer that swaps the model all the time: whatever is admitted is what was signed."""
    folder, done = make(), threading.Event()
    good, path = (folder / "detector.onnx").read_bytes(), folder / "detector.onnx"

    def swap():
        while not done.is_set():
            path.write_bytes(b"evil" * 500)
            path.write_bytes(good)

    writer = threading.Thread(target=swap)
    writer.start()
    outcomes = set()
    try:
        for _ in range(60):
            shutil.rmtree(robot.store, ignore_errors=True)
            try:
                admitted = robot.trust().admit(folder)
                assert (admitted.folder / "detector.onnx").read_bytes() == good
                outcomes.add("admitted")
            except ArtifactError:
                outcomes.add("refused")
    finally:
        done.set()
        writer.join()
    assert "refused" in outcomes


def test_a_damaged_copy_is_taken_again_from_where_the_set_lies(make, robot, caplog):
    folder = make()
    admitted = robot.trust().admit(folder)
    (admitted.folder / "detector.onnx").write_bytes(b"rotten")
    with pytest.raises(ArtifactError, match="other bytes"):
        robot.trust().admitted(admitted.folder)
    robot.let(days=1000)
    assert robot.trust().admitted(folder) == admitted
    assert "copied again" in caplog.text
    assert (admitted.folder / "detector.onnx").read_bytes() == (folder / "detector.onnx").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"number": 4', b'"number": 1')),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text('{"sha256": "x"}'),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["gone", "empty", "torn", "lowered", "list", "other", "folder"],
)
def test_a_robot_that_does_not_know_its_versions_any_more_refuses_all(make, robot, damage):
    old, new, trust = make(3), make(4), robot.trust()
    trust.confirm(trust.admit(new))
    damage(robot.store / "state.json")
    for use in (lambda: robot.trust().admit(old), lambda: robot.trust().admitted(new)):
        with pytest.raises(ArtifactError, match=rf"state .*remove '{robot.store}'"):
            use()
    shutil.rmtree(robot.store)
    assert robot.trust().admit(new).version == 4


def test_what_the_examination_refuses_is_not_accepted(make, robot):
    folder, looked = make(), []

    def examine(found):
        looked.append((found.folder / "detector.onnx").read_bytes())
        raise ArtifactError("engine", got="one for another GPU")

    refused(robot, folder, "another GPU", examine=examine)
    assert looked == [(folder / "detector.onnx").read_bytes()]
    assert robot.trust().admitted(folder) is None


def test_a_set_that_runs_here_is_not_touched_when_another_process_brings_it_again(make, robot):
    """Both have seen that it is new; the second one's engine does not fit, say."""
    folder = make()
    first = robot.trust().admit(folder)
    held = (first.folder / "detector.onnx").stat().st_ino

    def examine(found):
        raise ArtifactError("engine", got="one for another GPU")

    assert robot.trust(examine=examine).admit(folder) == first
    assert (first.folder / "detector.onnx").stat().st_ino == held


def test_a_set_that_another_one_has_displaced_is_not_confirmed(make, robot):
    """Two nodes of a machine have staged different sets of one line."""
    trust = robot.trust()
    trust.confirm(trust.admit(make(3)))
    displaced, newer = trust.admit(make(4)), trust.admit(make(5))
    with pytest.raises(ArtifactError, match=r"version 4: got another set has taken its place.*artifact_store"):
        trust.confirm(displaced)
    assert trust.admitted(newer.folder) == newer
    assert robot.memory()["confirmed"]["detector"]["number"] == 3


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there(make, robot, monkeypatch, call):
    trust = robot.trust()
    first = trust.admit(make(3))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store_module.os, call, full)
        with pytest.raises(ArtifactError, match=r"No space left.*free some space"):
            trust.admit(make(4))
        assert robot.trust().admitted(first.folder) == first, "what serves goes on"
    assert robot.trust().admitted(first.folder) == first
    assert {path.name for path in robot.store.iterdir()} == {".lock", "sets", "state.json"}


def cut_at(number, work):
    """Do it in another process, whose power fails as a write is about to reach the disk; whether it came to that."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    try:
        left, sync = [number], os.fsync

        def fsync(handle):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            sync(handle)

        store_module.os.fsync = fsync
        work()
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize("known", [True, False])
def test_a_power_cut_at_any_write_leaves_a_robot_that_starts(make, robot, known):
    """Before, the old set serves; after, the new one; at no time neither of them."""
    old, new, cuts = make(3), make(4), 0

    def update():
        trust = robot.trust()
        trust.confirm(trust.admit(new))

    while True:
        shutil.rmtree(robot.store, ignore_errors=True)
        if known:
            robot.trust().confirm(robot.trust().admit(old))
        if not cut_at(cuts, update):
            break
        cuts += 1
        trust = robot.trust()
        if known and robot.memory()["confirmed"]["detector"]["number"] == 3:
            assert trust.admitted(old).version == 3
        trust.confirm(trust.admitted(new) or trust.admit(new))
        assert robot.kept() == {trust.admitted(new).digest}, "nothing half written stays"
    assert cuts > 12
