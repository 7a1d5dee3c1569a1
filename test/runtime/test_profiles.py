"""Board profiles, without ROS."""

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.runtime.profiles import profile_path, profile_values


@pytest.mark.parametrize("key", ["inference", "/inference", "/**/inference", "/**"])
def test_the_section_of_the_node_is_taken(tmp_path, key):
    path = tmp_path / "orin.yaml"
    path.write_text(f"{key}:\n  ros__parameters: {{precision: int8}}\nother:\n  ros__parameters: {{dla_core: 1}}\n")
    assert profile_values(path, "inference") == {"precision": "int8"}


def test_a_profile_is_found_by_its_name():
    assert profile_values(profile_path("generic_pc"), "inference")["backend"] == "onnxruntime"


def test_a_path_is_a_path():
    assert str(profile_path("mine/orin.yaml")) == "mine/orin.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "got list"),
        ("inference: {precision: int8}", "ros__parameters"),
        ("a: [", "YAML"),
        (None, "No such file"),
    ],
)
def test_what_is_no_parameter_file_is_said_to_be_none(tmp_path, text, said):
    path = tmp_path / "p.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ParameterError, match=said):
        profile_values(path, "inference")


def test_an_unknown_name_is_told():
    with pytest.raises(ParameterError, match="config/profiles"):
        profile_path("warp_core")
