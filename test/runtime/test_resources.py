import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.resources import resource, shipped_card


def test_the_shipped_card_is_found():
    assert shipped_card().name == "nanodet_g_416.yaml"


def test_a_missing_file_says_where_it_was_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(EdgeAIError, match=str(tmp_path)):
        resource("models/none.yaml")


def test_a_ros_share_folder_is_searched(monkeypatch, tmp_path):
    (tmp_path / "share/edge_ai/config").mkdir(parents=True)
    (tmp_path / "share/edge_ai/config/only_here.yaml").write_text("")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert resource("config/only_here.yaml").parent == tmp_path / "share/edge_ai/config"
