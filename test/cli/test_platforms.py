import json

import pytest

from edge_ai.cli.main import main

CARD = "models/nanodet_g_416.yaml"
SELECT = ["platforms", "select", "--fps", "30"]


@pytest.fixture(autouse=True)
def root(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


def run(capsys, *arguments):
    status = main(list(arguments))
    return status, capsys.readouterr()


def test_table_and_machine(capsys):
    status, said = run(capsys, "platforms")
    assert status == 0
    assert "orin_nano_8" in said.out
    assert "this machine" in said.out


def test_as_json(capsys):
    status, said = run(capsys, "platforms", "--json")
    assert status == 0
    assert {"machine", "boards", "jetpacks", "architectures", "sources"} == set(json.loads(said.out))


def test_select_by_card(capsys):
    status, said = run(capsys, *SELECT, "--model", CARD, "--power", "15")
    assert status == 0
    assert "wanted: nanodet_g_416 (4.18 GFLOPs at 416x416), 30 fps, fp16, at most 15 W" in said.out
    assert "Jetson T5000 (Thor): power: its least mode is named 40 W, allowed are 15 W" in said.out
    assert "median" in said.out


def test_select_by_onnx_at_another_resolution(capsys):
    status, said = run(capsys, *SELECT, "--model", "models/nanodet_g_416.onnx", "--resolution", "832x416")
    assert status == 0
    assert "8.36 GFLOPs at 832x416" in said.out


def test_select_as_json(capsys):
    status, said = run(capsys, *SELECT, "--model", CARD, "--json", "--precision", "int8")
    values = json.loads(said.out)
    assert status == 0
    assert values["boards"][0]["fits"]
    assert values["boards"][0]["fps"]["low"] >= 30
    assert values["errors"]["board"]["median"] < 1.15


def test_several_models_take_turns(capsys):
    _, one = run(capsys, *SELECT, "--model", CARD, "--json")
    _, two = run(capsys, *SELECT, "--model", CARD, "--model", CARD, "--json")

    def fps(said):
        return {b["board"]: b["fps"]["middle"] for b in json.loads(said.out)["boards"] if b["mode"] == "MODE_15W"}

    assert fps(two)["agx_orin_64"] == pytest.approx(fps(one)["agx_orin_64"] / 2)


def test_no_board_will_do(capsys):
    status, said = run(capsys, *SELECT, "--gflops", "900", "--resolution", "1280x1280", "--power", "25")
    assert status == 1
    assert "no board will do\nnearest: " in said.out
    assert "wanted 30" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", CARD], "--fps"),
        (["--fps", "30"], "--model"),
        (["--fps", "0", "--model", CARD], "wanted a number above 0"),
        (["--fps", "nan", "--model", CARD], "wanted a number above 0"),
        (["--fps", "many", "--model", CARD], "got 'many', wanted a number above 0"),
        (["--fps", "30", "--model", CARD, "--resolution", "640"], "wanted WIDTHxHEIGHT in pixels like 640x640"),
        (["--fps", "30", "--model", CARD, "--resolution", "0x640"], "wanted WIDTHxHEIGHT"),
        (["--fps", "30", "--model", CARD, "--precision", "fp4"], "fp4"),
        (["--fps", "30", "--model", CARD, "--gflops", "3"], "not allowed with"),
        (["--fps", "30", "--gflops", "3"], "--gflops needs --resolution"),
        (["--fps", "30", "--model", CARD, "--params-m", "3"], "--params-m goes with --gflops"),
    ],
)
def test_wrong_use(capsys, arguments, words):
    with pytest.raises(SystemExit) as wrong:
        main(["platforms", "select", *arguments])
    assert wrong.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("name", ["none.onnx", "none.yaml", "README.md"])
def test_a_model_that_cannot_be_read_is_wrong_use(capsys, name):
    with pytest.raises(SystemExit) as wrong:
        main([*SELECT, "--model", name])
    assert wrong.value.code == 2
    said = capsys.readouterr()
    assert "error: model" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_document_needs_its_page(capsys, tmp_path):
    status, said = run(capsys, "platforms", "document", str(tmp_path / "none.md"))
    assert status == 1
    assert "error: page '" in said.err
