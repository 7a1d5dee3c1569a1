"""A second set-up costs nothing, a changed input is noticed, and nothing half-made is taken as good."""

import pytest


def test_notes_survive_and_torn_ones_count_as_none(tmp_path):
    from installer import stamp

    note = tmp_path / "note.json"
    assert stamp.read(note) == {}
    stamp.write(note, {"a": 1})
    assert stamp.read(note) == {"a": 1}
    note.write_text('{"a":')
    assert stamp.read(note) == {}


@pytest.mark.parametrize("change", ["msg/Detection.msg", "CMakeLists.txt", "package.xml"])
def test_an_edit_of_what_is_compiled_asks_for_a_build(tree, change):
    from installer.stamp import build_inputs

    before = build_inputs(tree)
    with (tree / change).open("a") as file:
        file.write("\n# changed\n")
    assert build_inputs(tree) != before


def test_python_files_count_by_name_only(tree):
    from installer.stamp import build_inputs

    module = tree / "edge_ai" / "a.py"
    before = build_inputs(tree)
    module.write_text("a = 1\n")
    with_module = build_inputs(tree)
    module.write_text("a = 2\n")
    (tree / "edge_ai" / "a.pyc").write_text("")
    assert with_module != before
    assert build_inputs(tree) == with_module


def finished(tree):
    from installer import stamp
    from installer.venv import Environment

    environment = Environment(tree, ["test"])
    (tree / ".venv" / "bin").mkdir(parents=True)
    environment.python.write_text("")
    stamp.write(tree / ".venv" / "edge-ai-setup.json", environment.wanted())
    return environment


def test_a_finished_environment_is_ready_and_keeps_its_groups(tree):
    from installer.venv import Environment

    finished(tree)
    assert Environment(tree).is_ready()
    assert Environment(tree, ["test"]).is_ready()
    assert not Environment(tree, ["dev"]).is_ready()
    assert {"test", "dev"} <= set(Environment(tree, ["dev"]).wanted()["groups"])


def test_a_changed_requirement_or_a_moved_tree_is_not_ready(tree):
    from installer.venv import Environment

    finished(tree)
    moved = tree.with_name("moved")
    tree.rename(moved)
    assert not Environment(moved).is_ready()
    moved.rename(tree)
    assert Environment(tree).is_ready()
    text = (tree / "setup.cfg").read_text()
    (tree / "setup.cfg").write_text(text.replace("psutil>=5.9", "psutil>=5.8"))
    assert not Environment(tree).is_ready()


def test_an_environment_without_its_note_is_not_ready(tree):
    environment = finished(tree)
    (tree / ".venv" / "edge-ai-setup.json").unlink()
    assert not environment.is_ready()
