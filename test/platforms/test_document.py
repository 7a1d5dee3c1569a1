import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.document import refresh


def test_refresh_makes_its_blocks_and_leaves_the_rest():
    page = "# Title\n<!-- made: numbers -->\nold\n<!-- end -->\nkept\n"
    made = refresh(page)
    assert made.startswith("# Title\n<!-- made: numbers -->\n|  | fitted to 80 figures |")
    assert made.endswith("<!-- end -->\nkept\n")
    assert "old" not in made
    assert refresh(made) == made


def test_refresh_refuses_a_block_it_does_not_know():
    with pytest.raises(ParameterError, match="got 'prices'; wanted one of boards"):
        refresh("<!-- made: prices -->\n<!-- end -->")
