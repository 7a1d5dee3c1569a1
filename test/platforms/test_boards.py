"""The table says only what its own arithmetic and its sources bear out."""

from pathlib import Path

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.boards import architectures, board, boards, jetpack_of, jetpacks, sources

ALL = pytest.mark.parametrize("one", boards(), ids=lambda b: b.key)
FIGURES = {"cuda_cores", "tensor_cores", "dla", "memory_gb", "memory_bits", "fp16_tflops", "int8_tops", "advertised"}
FIGURES |= {"modes", "parts", "jetpacks"}


@ALL
def test_peaks_are_cores_times_clock_times_what_a_core_does(one):
    kind = architectures()[one.architecture]
    product = one.top.cores * one.top.gpu_mhz * 1e-6
    assert one.fp16_tflops == pytest.approx(product * kind.fp16, rel=0.01)
    if kind.int8 is None:
        assert one.int8_tops is None
    else:
        assert one.int8_tops == pytest.approx(product * kind.int8, rel=0.01)


@pytest.mark.parametrize("one", [b for b in boards() if b.architecture == "ampere"], ids=lambda b: b.key)
def test_orin_has_2048_operations_of_an_sm_in_a_clock(one):
    assert one.fp16_tflops == pytest.approx(one.cuda_cores / 128 * 2.048 * one.top.gpu_mhz * 1e-3, rel=0.01)


@ALL
def test_every_fastest_mode_has_all_cores_on_and_is_known(one):
    assert one.top.known
    assert one.top.cores == one.cuda_cores
    assert all(m.cores <= one.cuda_cores and m.gpu_mhz <= one.top.gpu_mhz for m in one.modes if m.known)


@ALL
def test_tensor_cores_belong_to_their_generation(one):
    kind = architectures()[one.architecture]
    assert one.tensor_cores == one.cuda_cores // kind.cores_per_sm * kind.tensor_cores_per_sm


@ALL
def test_every_figure_has_a_source_and_what_is_from_memory_is_marked(one):
    named = [figure for figures in one.sources.values() for figure in figures]
    assert not FIGURES - {*named}
    assert {*one.sources} <= {*sources()}
    remembered = {*one.sources.get("memory", ())}
    assert remembered <= {*one.unchecked}, "not marked as unchecked"
    assert {*one.unchecked} <= FIGURES | {"gpu_mhz", "watts"}
    assert any(mode.unchecked for mode in one.modes) == ("gpu_mhz" in one.unchecked)


@pytest.mark.parametrize(
    ("key", "gigabytes"),
    [
        ("nano", 25.6),
        ("tx2", 59.7),
        ("xavier_nx", 59.7),
        ("agx_xavier", 136.5),
        ("orin_nano_8", 102.4),
        ("orin_nx_16", 102.4),
        ("agx_orin_64", 204.8),
        ("thor_t5000", 273),
    ],
)
def test_bandwidth_is_what_the_data_sheets_say(key, gigabytes):
    one = board(key)
    assert one.gigabytes_per_second(one.top) == pytest.approx(gigabytes, rel=0.002)


def test_nano_has_472_gigaflops_not_tops():
    assert board("nano").fp16_tflops == 0.472
    assert board("nano").int8_tops is None


@pytest.mark.parametrize(
    ("key", "mode", "tflops"),
    [
        ("orin_nano_8", "15W", 10.2),
        ("orin_nx_16", "MAXN", 15.0),
        ("orin_nx_8", "MAXN", 12.5),
        ("orin_nano_4", "10W", 5.1),
    ],
)
def test_slower_modes_have_their_share(key, mode, tflops):
    """Figures that NVIDIA states for these modes, before the Super ones existed."""
    one = board(key)
    assert one.tera_operations(one.mode(mode), "fp16") == pytest.approx(tflops, rel=0.01)


def test_half_the_cores_of_an_orin_nx_are_off_at_15_watts():
    one = board("orin_nx_16")
    assert one.mode("15W").cores == one.cuda_cores // 2


def test_what_a_gpu_cannot_do_is_none():
    nano = board("nano")
    assert nano.tera_operations(nano.top, "int8") is None
    thor = board("thor_t5000")
    assert thor.tera_operations(thor.modes[0], "fp16") is None
    assert thor.gigabytes_per_second(thor.modes[0]) is None


def test_fp32_is_never_quicker_than_fp16():
    assert all(b.tera_operations(b.top, "fp32") <= b.tera_operations(b.top, "fp16") / 2 for b in boards())


def test_keys_and_part_numbers_are_unique():
    assert len({b.key for b in boards()}) == len(boards())
    parts = [part for b in boards() for part in b.parts]
    assert len(set(parts)) == len(parts)


@ALL
def test_a_board_runs_jetpacks_of_the_table(one):
    assert {*one.jetpacks} <= {j.name for j in jetpacks()}


def test_only_what_python_3_10_and_tensorrt_8_5_allow_counts_as_native():
    for one in jetpacks():
        python = tuple(int(part) for part in one.python.split("."))
        assert one.native == (python >= (3, 10)), one.name
        assert one.tensorrt_backend == (one.name != "4.6")


@pytest.mark.parametrize(
    ("l4t", "version", "generation"),
    [
        ("32.7.1", "4.6.1", "4.6"),
        ("36.4.3", "6.2", "6.1"),
        ("36.3", "6.0", "6.0"),
        ("36.4.99", "6.x", "6.1"),
        ("39.2.0", "7.2", "7.2"),
        ("99.1.0", "", None),
        ("", "", None),
    ],
)
def test_jetpack_of_a_release(l4t, version, generation):
    exact, found = jetpack_of(l4t)
    assert (exact, found and found.name) == (version, generation)


def test_unknown_names_are_refused():
    with pytest.raises(ParameterError, match=r"board: got 'orin'; wanted one of nano, "):
        board("orin")
    with pytest.raises(ParameterError, match=r"power mode of Jetson Nano: got 'MAXX'; wanted one of 5W, MAXN"):
        board("nano").mode("MAXX")


def test_the_data_comes_along_with_the_package():
    setup = (Path(__file__).parents[2] / "setup.cfg").read_text()
    assert "edge_ai.platforms = *.yaml" in setup
