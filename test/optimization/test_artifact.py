"""What is shipped is there whole or not at all."""

import errno
import json
import os
import shutil
import stat

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization import artifact

DATA = {"verdict": {"shipped": True}}


def filled(folder, word):
    folder.mkdir(exist_ok=True)
    for name in ("m.onnx", "m.yaml"):
        (folder / name).write_text(word)
    return folder


def shipped(output, word="old"):
    """What an earlier run left."""
    with artifact.workplace(output) as work:
        filled(work, word)
        artifact.ship(work, output, DATA, f"page {word}")
    return output


def work_that_ends_in(output, error):
    with artifact.workplace(output) as work:
        filled(work, "new")
        raise error


def words(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def is_all(folder, word):
    report = json.loads((folder / "report.json").read_text())
    assert report == {**DATA, "files": ["m.onnx", "m.yaml"]}
    models = {"m.onnx": word, "m.yaml": word, "report.html": f"page {word}"}
    return {name: text for name, text in words(folder).items() if name != "report.json"} == models


@pytest.mark.parametrize("exchange", [True, False])
def test_shipping_replaces_what_an_earlier_run_left(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(artifact, "_exchange", lambda one, other: False)
    output = shipped(tmp_path / "out")
    with artifact.workplace(output) as work:
        filled(work, "new")
        assert is_all(output, "old")
        artifact.ship(work, output, DATA, "page new")
    assert is_all(output, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing else is left"


def test_a_link_to_a_folder_stays_one(tmp_path):
    output = shipped(tmp_path / "out")
    link = tmp_path / "link"
    link.symlink_to(output)
    assert is_all(shipped(link, "new"), "new")
    assert link.is_symlink()
    assert is_all(output, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


def test_everybody_may_read_what_is_shipped(tmp_path):
    output = shipped(tmp_path / "new" / "out")
    assert stat.S_IMODE(output.stat().st_mode) == 0o755
    assert stat.S_IMODE((output / "report.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EdgeAIError("no")])
def test_whatever_happens_before_leaves_the_old_one_and_nothing_else(tmp_path, error):
    output = shipped(tmp_path / "out")
    with pytest.raises(type(error)):
        work_that_ends_in(output, error)
    assert is_all(output, "old")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupt_between_the_two_renames_brings_the_old_one_back(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact, "_exchange", lambda one, other: False)
    output, rename, calls = shipped(tmp_path / "out"), os.rename, []

    def interrupted(a, b):
        calls.append(a)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(a, b)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shipped(output, "new")
    assert is_all(output, "old")


def test_a_full_disk_is_said_in_words_and_leaves_the_old_one(tmp_path):
    output = shipped(tmp_path / "out")
    with pytest.raises(EdgeAIError, match=r"No space left.*To mend: free some space"):
        work_that_ends_in(output, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert is_all(output, "old")


def test_files_of_somebody_else_are_never_replaced(tmp_path):
    """Models and cards, too: only what a report lists is ours."""
    for name in ("thesis.tex", "model.onnx", "card.yaml"):
        output = shipped(tmp_path / name / "out")
        (output / name).write_text("years of work")
        with pytest.raises(EdgeAIError, match=rf"other files in it: {name}"), artifact.workplace(output):
            pytest.fail("begun all the same")
        assert (output / name).exists()


def test_what_is_worked_from_is_never_replaced(tmp_path):
    output = shipped(tmp_path / "out")
    for needed in (output, output / "m.onnx"):
        with pytest.raises(EdgeAIError, match="is in"), artifact.workplace(output, needed):
            pytest.fail("begun all the same")
    with pytest.raises(EdgeAIError, match="is in"), artifact.workplace(tmp_path, output):
        pytest.fail("begun all the same")


def test_mount_points_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: True)
    with pytest.raises(EdgeAIError, match=r"mount point.*/model"), artifact.workplace(tmp_path / "out"):
        pytest.fail("begun all the same")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(EdgeAIError, match="got a file"), artifact.workplace(tmp_path / "out"):
        pytest.fail("begun all the same")


def test_a_folder_inside_a_file_is_an_error_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeAIError, match="output"), artifact.workplace(tmp_path / "file" / "out"):
        pytest.fail("begun all the same")


def test_reports_are_replaced_whole(tmp_path, monkeypatch):
    artifact.write_report_files(tmp_path, "report", {"a": 1}, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(EdgeAIError, match="full"):
        artifact.write_report_files(tmp_path, "report", {"a": 2}, "new")
    assert words(tmp_path) == {"report.html": "old", "report.json": '{\n  "a": 1\n}\n'}


def test_names_of_models_become_names_of_files():
    assert [artifact.file_name(name) for name in ("yolo-v8_n.1", "org/model", "../x", "...")] == [
        "yolo-v8_n.1",
        "org_model",
        "x",
        "model",
    ]


def test_the_card_of_a_variant_says_where_it_is_from_and_takes_the_notices_along(tmp_path):
    from edge_ai.processing.card import ModelCard
    from edge_ai.runtime.resources import shipped_card

    original = ModelCard.load(shipped_card())
    model = tmp_path / "nano_int8.onnx"
    shutil.copyfile(original.model_path, model)
    card = artifact.write_card(original, model, tmp_path / "nano_int8.yaml", version="1.0+int8", source="here: «now»")
    assert card.check_file() == model
    assert (card.version, card.source, card.licence) == ("1.0+int8", "here: «now»", original.licence)
    assert (card.input, card.outputs, card.decoder, card.nms) == (
        original.input,
        original.outputs,
        original.decoder,
        original.nms,
    )
    assert card.labels == original.labels
    assert (tmp_path / "NOTICE").read_text() == (shipped_card().parent / "NOTICE").read_text()
