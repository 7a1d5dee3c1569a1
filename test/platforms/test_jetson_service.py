"""jetson-stats is made up after its documented answers: it runs on Jetsons only."""

import sys
from types import SimpleNamespace

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.platforms import jetson_service

BOARD = {
    "platform": {"Machine": "aarch64"},
    "hardware": {"P-Number": "p3767-0000", "Jetpack": "6.2", "Serial Number": "1420000000000"},
    "libraries": {"CUDA": "12.6.68", "TensorRT": "10.3.0.30"},
}


class JtopException(Exception):  # noqa: N818 - the library's own name
    pass


@pytest.fixture
def install(monkeypatch):
    """Install a jetson-stats that gives this board, or raises."""

    def install(board=None, error=None):
        class Jtop:
            def __enter__(self):
                if error:
                    raise error
                return SimpleNamespace(board=board)

            def __exit__(self, *_):
                return False

        monkeypatch.setitem(sys.modules, "jtop", SimpleNamespace(jtop=Jtop, JtopException=JtopException))

    return install


def test_takes_what_files_do_not_say(install):
    install(BOARD)
    assert jetson_service.ask() == jetson_service.JetsonStats("p3767-0000", "6.2", "12.6.68", "10.3.0.30")


@pytest.mark.parametrize("board", [{}, None, {"hardware": None}, {"hardware": {"P-Number": None}}])
def test_an_answer_without_them_is_empty(install, board):
    install(board)
    assert jetson_service.ask() == jetson_service.JetsonStats()


def test_a_service_that_does_not_run_is_an_error_in_words(install):
    install(error=JtopException("The jtop.service is not active. Please run:\nsudo jtop --install-service"))
    with pytest.raises(
        EdgeAIError, match=r"got The jtop.service is not active. Please run: sudo jtop .*systemctl start jtop"
    ):
        jetson_service.ask()


def test_it_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "jtop", None)
    with pytest.raises(EdgeAIError, match="not installed"):
        jetson_service.ask()
