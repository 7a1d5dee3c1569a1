"""Our GPU code against the vendor's releases: what is checked, how findings are read, and that they are found."""

import json

import pytest

FP16 = """
import tensorrt as trt


def half(config: trt.IBuilderConfig) -> None:
    config.set_flag(trt.BuilderFlag.FP16)
"""
NEWEST, OLDEST = "vendor-newest", "vendor-jetpack6"


def test_every_release_of_setup_cfg_names_both_libraries(root):
    from typecheck import groups, release

    names = groups(root / "setup.cfg")
    assert {OLDEST, NEWEST} <= set(names)
    releases = [release(name) for name in names]
    assert len({one.tensorrt for one in releases}) > 1
    assert all(one.tensorrt.startswith("tensorrt-") and one.cuda.startswith("cuda-bindings") for one in releases)


def test_a_release_that_is_not_there_is_not_checked(capsys):
    from typecheck import NOT_CHECKED, main

    assert main(["vendor-none"]) == NOT_CHECKED
    assert "NOT CHECKED: setup.cfg has no requirement group 'vendor-none'" in capsys.readouterr().out


def test_findings_are_ours_and_not_those_of_the_stubs(root):
    from typecheck import read

    stubs = root / "out" / "typecheck" / "stubs"
    ours = {"file": "edge_ai/a.py", "line": 3, "message": "no FP16", "code": "attr-defined", "severity": "error"}
    lines = [ours, {**ours, "severity": "note"}, {**ours, "file": "out/typecheck/stubs/tensorrt/__init__.pyi"}]
    (found,) = read("\n".join(map(json.dumps, lines)), stubs)
    assert (found.path, found.line, found.code) == (root / "edge_ai" / "a.py", 3, "attr-defined")
    assert found.words == "edge_ai/a.py:3: no FP16 [attr-defined]"


def test_stubs_that_are_not_used_are_noticed(monkeypatch, tmp_path):
    import typecheck
    from installer.console import SetupError

    monkeypatch.setattr(typecheck, "OUT", tmp_path)
    monkeypatch.setattr(typecheck.stubs, "make", lambda wheel, tools, python, folder: folder)
    monkeypatch.setattr(typecheck, "mypy", lambda paths, folder: [])
    (tmp_path / "stubs" / "wheel").mkdir(parents=True)

    class Shelf:
        def unpacked(self, requirements, *, dependencies=True):
            return tmp_path / "wheel"

    with pytest.raises(SetupError, match="does not use the stubs"):
        typecheck.check_tensorrt(typecheck.release(OLDEST), Shelf(), "python")


def stubs_of(group):
    """The stubs that `make typecheck` left for a release."""
    from typecheck import OUT, release
    from vendor.wheels import slug

    found = sorted((OUT / "stubs").glob(f"{slug(release(group).tensorrt)}-py*/stubs"))
    if not found:
        pytest.skip("no stubs of TensorRT here: run make typecheck once")
    return found[0]


@pytest.mark.parametrize(("group", "codes"), [(OLDEST, []), (NEWEST, ["attr-defined"])])
def test_a_flag_that_the_newest_release_has_no_more_is_found(tmp_path, monkeypatch, group, codes):
    import typecheck

    pytest.importorskip("mypy", reason="needs mypy: run make lint once")
    folder = stubs_of(group)
    sample = tmp_path / "sample.py"
    sample.write_text(FP16)
    found = typecheck.mypy([sample], folder)
    assert [finding.code for finding in found] == codes
    assert all("FP16" in finding.words for finding in found)
