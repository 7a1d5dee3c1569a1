"""What is shipped is there whole or not at all."""

import errno
import os
import shutil
import stat

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization import artifact


def filled(folder, word):
    folder.mkdir(exist_ok=True)
    for name in ("m.onnx", "m.yaml", "report.html", "report.json"):
        (folder / name).write_text(word)
    return folder


def work_that_ends_in(output, error):
    with artifact.workplace(output) as work:
        filled(work, "new")
        raise error


def work_that_ships(output):
    with artifact.workplace(output) as work:
        filled(work, "new")
        artifact.ship(work, output)


def words(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("exchange", [True, False])
def test_shipping_replaces_what_an_earlier_run_left(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(artifact, "_exchange", lambda one, other: False)
    output = filled(tmp_path / "out", "old")
    (output / "m_int8.onnx").write_text("old")
    with artifact.workplace(output) as work:
        filled(work, "new")
        assert set(words(output).values()) == {"old"}
        artifact.ship(work, output)
    assert words(output) == dict.fromkeys(("m.onnx", "m.yaml", "report.html", "report.json"), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing else is left"


def test_everybody_may_read_what_is_shipped(tmp_path):
    output = tmp_path / "new" / "out"
    with artifact.workplace(output) as work:
        artifact.write_files(work, {"report.json": "{}"})
        artifact.ship(work, output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o755
    assert stat.S_IMODE((output / "report.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EdgeAIError("no")])
def test_whatever_happens_before_leaves_the_old_one_and_nothing_else(tmp_path, error):
    output = filled(tmp_path / "out", "old")
    with pytest.raises(type(error)):
        work_that_ends_in(output, error)
    assert set(words(output).values()) == {"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupt_between_the_two_renames_brings_the_old_one_back(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact, "_exchange", lambda one, other: False)
    output, rename, calls = filled(tmp_path / "out", "old"), os.rename, []

    def interrupted(a, b):
        calls.append(a)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(a, b)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work_that_ships(output)
    assert set(words(output).values()) == {"old"}


def test_a_full_disk_is_said_in_words_and_leaves_the_old_one(tmp_path):
    output = filled(tmp_path / "out", "old")
    with pytest.raises(EdgeAIError, match=r"No space left.*To mend: free some space"):
        work_that_ends_in(output, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert set(words(output).values()) == {"old"}


def test_folders_with_other_files_are_refused_before_any_work(tmp_path):
    output = filled(tmp_path / "home", "old")
    (output / "thesis.tex").write_text("years of work")
    with pytest.raises(EdgeAIError, match=r"other files in it: thesis\.tex"), artifact.workplace(output):
        pytest.fail("begun all the same")
    assert (output / "thesis.tex").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(EdgeAIError, match="got a file"), artifact.workplace(tmp_path / "out"):
        pytest.fail("begun all the same")


def test_text_files_are_replaced_whole(tmp_path, monkeypatch):
    artifact.write_files(tmp_path, {"report.json": "old"})

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="full"):
        artifact.write_files(tmp_path, {"report.json": "new"})
    assert words(tmp_path) == {"report.json": "old"}


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
