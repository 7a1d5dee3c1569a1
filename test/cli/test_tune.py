import pytest
import yaml

from edge_ai.cli.main import main
from edge_ai.runtime.params import InferenceParams


def test_tune_measures_and_writes_a_parameter_file(tmp_path, capsys):
    out = tmp_path / "tuned.yaml"
    assert main(["tune", "--for", "throughput", "--seconds", "0.05", "--rounds", "1", "--output", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("<- throughput") == 1
    assert f"params_file:={out}" in printed
    InferenceParams.parse(yaml.safe_load(out.read_text())["/**/inference"]["ros__parameters"])


def test_wrong_use_is_explained_before_anything_is_measured(tmp_path, capsys):
    assert main(["tune", "--output", str(tmp_path / "no" / "x.yaml")]) == 1
    assert "--output: got no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(["tune", "--seconds", "0"])
    assert wrong.value.code == 2
