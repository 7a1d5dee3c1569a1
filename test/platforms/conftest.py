"""Made-up computers: folders that look like the root of a file system."""

import pytest

CPUINFO = "processor\t: 0\nmodel name\t: Some CPU 9000\nphysical id\t: 0\ncore id\t\t: 0\n\n" * 2
RELEASE = "# R{} (release), REVISION: {}, GCID: 1, BOARD: generic, EABI: aarch64, DATE: now\n"


@pytest.fixture
def make_tree(tmp_path):
    """A file system of a Jetson; what is None or left out is not there."""

    def make(model=None, compatible=None, gib=None, l4t=None, files=None):
        texts = {"proc/cpuinfo": CPUINFO, **(files or {})}
        if gib is not None:
            kib = int(gib * 2**20)
            texts["proc/meminfo"] = f"MemTotal:       {kib} kB\nMemFree: 5 kB\nMemAvailable:   {kib // 2} kB\n"
        if model is not None:
            texts["sys/firmware/devicetree/base/model"] = f"{model}\0"
        if compatible is not None:
            texts["proc/device-tree/compatible"] = "".join(f"{item}\0" for item in compatible)
        if l4t is not None:
            major, _, rest = l4t.partition(".")
            texts["etc/nv_tegra_release"] = RELEASE.format(major, rest)
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make
