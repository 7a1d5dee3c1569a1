"""The files of the page: all there, all shipped, nothing from elsewhere."""

import configparser
import re
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from edge_ai.dashboard.pages import login_page, pages

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "edge_ai" / "dashboard" / "static"


def test_pip_installs_them_too():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["edge_ai.dashboard"].split()
    shipped = {path for pattern in patterns for path in STATIC.parent.glob(pattern)}
    assert {path for path in STATIC.iterdir() if path.is_file()} <= shipped


def test_every_file_that_another_one_names_is_served():
    served = pages()
    named = {"/"}
    for page in served.values():
        text = page.body.decode()
        named |= set(re.findall(r'(?:src|href)="(/[^"]*)"', text))
        named |= {f"/{name}" for name in re.findall(r'from "\./([^"]+)"', text)}
    assert named == set(served)


def test_nothing_is_loaded_from_elsewhere():
    for path in STATIC.iterdir():
        assert not re.findall(r"https?://(?!www\.w3\.org)", path.read_text()), path.name


def test_the_door_shows_what_was_wrong_as_text():
    assert b"&lt;b&gt;" in login_page("<b>").body
    assert login_page().status_code == 401
