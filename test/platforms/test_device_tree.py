import pytest

from edge_ai.platforms.boards import boards
from edge_ai.platforms.device_tree import DeviceTree, identify, read

GIB = 2**30
KITS = [
    ("nano", "NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000", "nvidia,tegra210", 3.87),
    ("tx2", "NVIDIA Jetson TX2 Developer Kit", "nvidia,quill", "nvidia,tegra186", 7.67),
    ("xavier_nx", "NVIDIA Jetson Xavier NX Developer Kit", "nvidia,p3449-0000+p3668-0000", "nvidia,tegra194", 6.67),
    ("agx_xavier", "Jetson-AGX", "nvidia,galen", "nvidia,tegra194", 31.2),
    ("orin_nano_4", "NVIDIA Jetson Orin Nano", "vendor,carrier", "nvidia,tegra234", 3.4),
    ("orin_nano_8", "NVIDIA Jetson Orin Nano Developer Kit", "vendor,carrier", "nvidia,tegra234", 7.4),
    ("orin_nx_8", "NVIDIA Jetson Orin NX", "vendor,carrier", "nvidia,tegra234", 7.4),
    ("orin_nx_16", "NVIDIA Jetson Orin NX Engineering Reference", "vendor,carrier", "nvidia,tegra234", 15.3),
    ("agx_orin_32", "NVIDIA Jetson AGX Orin", "vendor,carrier", "nvidia,tegra234", 29.8),
    ("agx_orin_64", "NVIDIA Jetson AGX Orin Developer Kit", "vendor,carrier", "nvidia,tegra234", 61.4),
    ("thor_t4000", "NVIDIA Jetson Thor T4000", "vendor,carrier", "nvidia,tegra264", 60),
    ("thor_t5000", "NVIDIA Jetson AGX Thor Developer Kit", "vendor,carrier", "nvidia,tegra264", 122.8),
]


@pytest.mark.parametrize(("key", "model", "first", "soc", "gib"), KITS, ids=[kit[0] for kit in KITS])
def test_every_board_is_told_by_its_model_and_memory(key, model, first, soc, gib):
    board, _ = identify(DeviceTree(model, (first, soc)), int(gib * GIB))
    assert board.key == key


def test_every_board_of_the_table_has_such_a_test():
    assert [kit[0] for kit in KITS] == [board.key for board in boards()]


@pytest.mark.parametrize(("key", "part"), [(board.key, part) for board in boards() for part in board.parts])
def test_a_part_number_is_stronger_than_words_and_memory(key, part):
    tree = DeviceTree("somebody's own carrier", (f"nvidia,p3768-0000+{part}-super", "nvidia,tegra234"))
    assert identify(tree, 3 * GIB)[0].key == key
    assert identify(DeviceTree("", ("nvidia,tegra234",)), 3 * GIB, part)[0].key == key


def test_a_board_that_the_table_does_not_have_is_not_guessed():
    board, seen = identify(DeviceTree("NVIDIA Jetson TX1", ("nvidia,p2371-2180", "nvidia,tegra210")), 4 * GIB)
    assert board is None
    assert seen == "model 'NVIDIA Jetson TX1', chip 'tegra210'"


def test_read_strips_the_nuls(make_tree):
    tree = read(make_tree("NVIDIA Jetson Nano Developer Kit", ["nvidia,p3450-0000", "nvidia,tegra210"]))
    assert tree == DeviceTree("NVIDIA Jetson Nano Developer Kit", ("nvidia,p3450-0000", "nvidia,tegra210"))
    assert tree.soc == "tegra210"
    assert tree.parts == ("p3450-0000",)


def test_a_pc_has_none(make_tree):
    assert read(make_tree()) is None


def test_broken_trees_are_read_as_far_as_they_go(make_tree):
    root = make_tree("", [])
    assert read(root) == DeviceTree("", ())
    (root / "proc/device-tree/compatible").write_bytes(b"\xff\xfe\0nvidia,tegra234")
    assert read(root).soc == "tegra234"
