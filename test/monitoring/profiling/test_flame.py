"""The page of a flame graph: its tree, and in a real browser what it draws, without a network."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_ai.monitoring.profiling.bottlenecks import bottlenecks
from edge_ai.monitoring.profiling.flame import flame_page
from edge_ai.monitoring.profiling.flame_tree import flame_tree
from edge_ai.monitoring.profiling.stacks import NATIVE, Stacks

ROOT = Path(__file__).resolve().parents[3]
UNPACKED = ROOT / "out" / "programs" / "chromium"
STACKS = Stacks(
    4.0,
    {
        ("infer-0", "work (pool.py:5)", "run (engine.py:7)"): 2.0,
        ("infer-0", "work (pool.py:5)", "decode </script><b>& (decode.py:9)"): 0.5,
        ("of libraries", NATIVE): 1.5,
        ("camera", "rare (camera.py:1)"): 1e-6,
    },
    200,
    "in-process",
    threads=153,
    notes=("Words & <more>.",),
)


def test_the_tree_adds_up_and_leaves_out_what_cannot_be_seen():
    name, seconds, threads = flame_tree(STACKS.weights, "all")
    assert (name, round(seconds, 3)) == ("all", 4.0)
    assert [(thread[0], thread[1]) for thread in threads] == [("infer-0", 2.5), ("of libraries", 1.5)]
    (work,) = threads[0][2]
    assert [(function[0], function[1]) for function in work[2]] == [
        ("run (engine.py:7)", 2.0),
        ("decode </script><b>& (decode.py:9)", 0.5),
    ]


def test_the_page_needs_nothing_else_and_takes_any_name():
    page = flame_page(STACKS, 'a "title" <here>', bottlenecks(STACKS.costs()))
    assert "a &quot;title&quot; &lt;here&gt;" in page
    assert "Words &amp; &lt;more&gt;." in page
    assert "153 Python threads" in page
    assert not re.search(r"(src|href|url\(|@import|https?:|fetch\()", page)
    assert not re.search(r"@[A-Z]+@", page)
    tree = re.search(r'<script id="tree" type="application/json">(.*?)</script>', page).group(1)
    assert json.loads(tree)[2][0][2][0][2][1][0] == "decode </script><b>& (decode.py:9)"


def test_a_process_that_did_nothing_has_a_page_too():
    page = flame_page(Stacks(1.0, {}, 50, "in-process"), "idle")
    assert "0.00 s of processor time" in page


def _browser():
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    given = os.environ.get("EDGE_AI_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if given:
        return given, ""
    shell = UNPACKED / "usr" / "lib" / "chromium" / "chromium-headless-shell"
    folders = {str(library.parent) for library in UNPACKED.glob("usr/lib/**/*.so*")}
    return (str(shell), ":".join(sorted(folders))) if shell.exists() else ("", "")


def rendered(page, script, folder):
    """The page's elements after a script has run in it."""
    browser, libraries = _browser()
    if not browser:
        pytest.skip("no Chromium on this machine; tools/programs.py fetches Debian's into out/programs")
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"<script>{script}</script></body>"))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    words += [f"--user-data-dir={folder / 'profile'}", "--window-size=1200,800", "--dump-dom", f"file://{path}"]
    env = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
    done = subprocess.run([browser, *words], env=env, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_a_browser_draws_it_zooms_and_searches(tmp_path):
    script = """
      const boxes = () => [...document.querySelectorAll("#graph button")];
      const told = {first: boxes().map((b) => [b.title, b.offsetWidth])};
      search.value = "RUN (eng"; search.oninput();
      told.search = said.textContent;
      told.found = document.querySelectorAll(".found").length;
      search.value = ""; boxes().find((b) => b.title.startsWith("run")).click();
      told.zoomed = boxes().map((b) => [b.title, b.offsetWidth]);
      back.click();
      told.back = boxes().length;
      document.body.setAttribute("data-told", JSON.stringify(told));
    """
    page = rendered(flame_page(STACKS, "robot"), script, tmp_path)
    words = re.search(r'data-told="(.*?)"', page, re.DOTALL).group(1)
    told = json.loads(words.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    first = dict(told["first"])
    assert len(first) == 7
    whole = first["all threads: 4.00 s, 100.0 %"]
    assert first["run (engine.py:7): 2.00 s, 50.0 %"] == pytest.approx(whole / 2, abs=2)
    assert first["decode </script><b>& (decode.py:9): 500.0 ms, 12.5 %"] == pytest.approx(whole / 8, abs=2)
    assert told["search"] == "'RUN (eng': 2.00 s, 50.0 %"
    assert told["found"] == 1
    assert [width for _, width in told["zoomed"]] == [whole] * 4
    assert told["back"] == 7
