from importlib.metadata import PackageNotFoundError

import pytest

from edge_ai.platforms import software

STATUS = """Package: nvidia-l4t-core
Status: install ok installed
Priority: standard
Version: 36.4.3-20250107174145

Package: libnvinfer10
Status: install ok installed
Version: 10.3.0.30-1+cuda12.5

Package: libnvinfer8
Status: deinstall ok config-files
Version: 8.6.2.3-1+cuda12.2

Package: cuda-cudart-12-6
Status: install ok installed
Depends: libc6
Version: 12.6.68-1
"""


def nothing(name):
    raise PackageNotFoundError(name)


def test_release_file_first_then_the_package(make_tree):
    root = make_tree(l4t="35.4.1", files={"var/lib/dpkg/status": STATUS})
    assert software.l4t(root) == "35.4.1"
    (root / "etc/nv_tegra_release").write_text("something else\n")
    assert software.l4t(root) == "36.4.3"
    (root / "etc/nv_tegra_release").unlink()
    assert software.l4t(root) == "36.4.3"


def test_a_pc_has_none_of_it(make_tree):
    root = make_tree()
    assert (software.l4t(root), software.cuda(root), software.tensorrt(root, nothing)) == ("", "", "")


def test_packages_that_were_removed_do_not_count(make_tree):
    root = make_tree(files={"var/lib/dpkg/status": STATUS})
    assert list(software.packages(root, r"libnvinfer\d+")) == [("libnvinfer10", "10.3.0.30-1+cuda12.5")]
    assert software.tensorrt(root, nothing) == "10.3.0.30"
    assert software.cuda(root) == "12.6.68"


def test_a_python_distribution_counts_before_a_package(make_tree):
    root = make_tree(files={"var/lib/dpkg/status": STATUS})
    found = {"tensorrt-cu12": "10.13.3.9"}
    assert software.tensorrt(root, lambda name: found[name] if name in found else nothing(name)) == "10.13.3.9"


def test_the_toolkit_says_its_version(make_tree):
    root = make_tree(files={"usr/local/cuda/version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.6.11"}}'})
    assert software.cuda(root) == "12.6.11"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cuda": 3}'])
def test_a_broken_version_file_is_passed_over(make_tree, text):
    root = make_tree(files={"usr/local/cuda/version.json": text, "var/lib/dpkg/status": STATUS})
    assert software.cuda(root) == "12.6.68"


def test_power_mode(make_tree):
    config = "# comment\n< POWER_MODEL ID=0 NAME=MAXN >\nGPU MAX_FREQ -1\n< POWER_MODEL ID=2 NAME=MODE_30W >\n"
    root = make_tree(files={"etc/nvpmodel.conf": config, "var/lib/nvpmodel/status": "pmode:0002\n"})
    assert software.power_mode(root) == "MODE_30W"
    (root / "var/lib/nvpmodel/status").write_text("pmode:0007")
    assert software.power_mode(root) == ""
    (root / "var/lib/nvpmodel/status").write_text("nonsense")
    assert software.power_mode(root) == ""
    assert software.power_modes(root) == ("MAXN", "MODE_30W")


def test_no_power_modes_are_known_where_nvpmodel_has_no_file(make_tree):
    assert software.power_modes(make_tree()) == ()
