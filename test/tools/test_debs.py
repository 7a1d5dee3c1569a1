"""Debian's packages without root, and what is said where there is no apt."""

import pytest


def test_a_machine_without_apt_says_so(tmp_path, monkeypatch):
    from debs import AptError, PrivateApt

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AptError, match="no apt on this machine"):
        PrivateApt(tmp_path / "apt")
    assert not (tmp_path / "apt").exists()


def test_lists_are_our_own_and_another_architecture_starts_from_nothing(tmp_path, monkeypatch):
    import debs

    monkeypatch.setattr(debs.shutil, "which", lambda name: name)
    words = debs.PrivateApt(tmp_path, "arm64", installed=False).command
    assert f"-oDir::State={tmp_path / 'state'}" in words
    assert "-oAPT::Architecture=arm64" in words
    assert not [word for word in words if "/var/lib" in word]


def test_the_last_words_of_a_program_that_failed():
    from debs import AptError, last_line, output

    assert last_line("a\nE: no such package\n\n") == "E: no such package"
    assert last_line("") == "it gave no reason"
    with pytest.raises(AptError, match="sh failed: the reason"):
        output(["sh", "-c", "echo the reason >&2; exit 100"], ".")
