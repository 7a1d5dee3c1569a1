"""What a deployment has done outlives it."""

import os
import resource
import subprocess
import sys

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.journal import Journal


def test_a_later_process_reads_what_was_written(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    with Journal(path).opened() as journal:
        assert journal.last() is None
        journal.write("started", side="green")
        journal.write("checked", passed=True)
        journal.write("started", side="blue")
    with Journal(path).opened() as journal:
        assert [entry.step for entry in journal.entries] == ["started", "checked", "started"]
        assert journal.last().facts == {"side": "blue"}
        assert journal.last("checked").facts == {"passed": True}
        assert journal.last("switched") is None


def test_a_torn_last_line_was_never_written_and_the_next_one_is_whole(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path).opened() as journal:
        journal.write("started", side="green")
    with path.open("ab") as stream:
        stream.write(b'{"step": "switc')
    with Journal(path).opened() as journal:
        assert [entry.step for entry in journal.entries] == ["started"]
        journal.write("checked")
    with Journal(path).opened() as journal:
        assert [entry.step for entry in journal.entries] == ["started", "checked"]


def test_a_line_in_the_middle_that_is_no_entry_is_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"step": "a", "at": "t"}\nnonsense\n{"step": "b", "at": "t"}\n')
    with pytest.raises(DeploymentError, match=r"line 2.*by hand"), Journal(path).opened():
        pass


def test_two_deployments_never_work_on_one_journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path).opened(), pytest.raises(DeploymentError, match="another deployment"), Journal(path).opened():
        pass
    with Journal(path).opened():
        pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path):
    path = tmp_path / "journal.jsonl"
    script = (
        "import os, signal, sys; from pathlib import Path; from edge_ai.deployment.journal import Journal\n"
        "with Journal(Path(sys.argv[1])).opened() as journal:\n"
        "    journal.write('started'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=dict(os.environ), check=False)
    assert done.returncode == -9
    with Journal(path).opened() as journal:
        assert journal.last().step == "started"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_told(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path).opened() as journal:
        journal.path = type(path)("/dev/full")
        with pytest.raises(DeploymentError, match="No space left"):
            journal.write("started")
        assert journal.entries == ()


def test_a_line_that_did_not_fit_leaves_no_piece(tmp_path):
    path = tmp_path / "journal.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(path).opened() as journal:
        journal.write("started")
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
        try:
            with pytest.raises(DeploymentError, match="not in it"):
                journal.write("switching")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        journal.write("rolling back")
    with Journal(path).opened() as journal:
        assert [entry.step for entry in journal.entries] == ["started", "rolling back"]


def test_it_is_read_while_another_writes_and_is_not_touched(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert Journal(path).read() == ()
    assert list(tmp_path.iterdir()) == []
    with Journal(path).opened() as journal:
        journal.write("started")
        with path.open("ab") as stream:
            stream.write(b'{"step": "half')
        assert [entry.step for entry in Journal(path).read()] == ["started"]
    assert path.read_bytes().endswith(b'"half')


def test_an_error_of_the_work_itself_is_no_error_of_the_journal(tmp_path):
    with pytest.raises(BrokenPipeError), Journal(tmp_path / "journal.jsonl").opened():
        raise BrokenPipeError(32, "Broken pipe")
