import json
import subprocess
import sys
from pathlib import Path

from edge_ai.cli.main import main
from edge_ai.cli.watch import report
from edge_ai.monitoring.readings import Sample

ROOT = Path(__file__).resolve().parents[2]


def test_it_shows_what_every_source_says(capsys):
    status = main(["watch", "--seconds", "1"])
    said = capsys.readouterr().out
    assert status in (0, 1)
    assert ("fault: " in said) == bool(status)
    assert "memory_total" in said
    assert "monitor/load" in said
    assert "left out: jetson-stats: " in said or "jetson-stats" in said


def test_as_json_a_line_a_second(capsys):
    main(["watch", "--seconds", "2", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2
    assert lines[1]["stamp_ns"] > lines[0]["stamp_ns"]
    assert lines[1]["sources"]["psutil"]["memory"] == lines[1]["readings"]["memory"]
    assert lines[1]["readings"]["cpu"] >= 0


def test_power_that_is_refused_is_said_and_is_status_1(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "jtop", None)
    assert main(["watch", "--seconds", "1", "--mode", "15W"]) == 1
    assert "refused: jetson-stats: got not installed" in capsys.readouterr().out


def test_sources_stand_side_by_side():
    sample = Sample(1, 1, {"gpu": 0.437, "power": 5.7}, {"board": "B"}, {"NVML": "gone"})
    sources = {"jetson-stats": {"gpu": 0.437}, "NVML": {}, "sysfs": {"gpu": 0.44, "power": 5.7}, "disk": {}}
    assert report(sample, sources, {"psutil": "why not"}).splitlines() == [
        "board: B",
        "        taken  jetson-stats   sysfs",
        "gpu    43.7 %        43.7 %  44.0 %",
        "power  5.70 W                5.70 W",
        "nothing to read: disk",
        "left out: psutil: why not",
        "fault: NVML: gone",
    ]


def test_whoever_reads_it_may_stop_reading():
    command = f"{sys.executable} -m edge_ai.cli.main watch --seconds 3 --json | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
