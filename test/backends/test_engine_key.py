from edge_ai.backends.cuda_memory import DeviceInfo
from edge_ai.backends.engine_key import environment, key_for

ORIN = DeviceInfo("Orin", (8, 7), 8 << 30, True, 12060)


def test_whatever_makes_another_engine_makes_another_key(make_model, make_options):
    path = make_model()
    options = make_options()
    engine = options.engine

    def key(model=path, device=ORIN, version="10.3.0", shapes=None, **changes):
        return key_for(
            model,
            options.model_copy(update={"engine": engine.changed(**changes), "shapes": shapes or {}}),
            device,
            version,
        ).digest

    shape = (1, 3)
    keys = [
        key(),
        key(model=make_model((2, 3), "other.onnx")),
        key(device=DeviceInfo("Thor", (8, 7), 8 << 30, True, 12060)),
        key(device=DeviceInfo("Orin", (8, 6), 8 << 30, True, 12060)),
        key(version="10.4.0"),
        key(shapes={"left": (shape, shape, shape)}),
        key(precision="fp32"),
        key(dla_core=0),
        key(engine_workspace=64),
        key(engine_level=5),
        key(engine_sparsity=True),
        key(engine_tf32=False),
        key(engine_for="ampere_plus"),
        key(engine_version_compatible=True),
        key(engine_calibration="pictures"),
    ]
    assert len(set(keys)) == len(keys)


def test_what_makes_no_other_engine_makes_no_other_key(make_model, make_options):
    path, options = make_model(), make_options()
    changed = options.engine.changed(cuda_graphs=False, cuda="pycuda", build_memory=100, engine_gate="agreement")
    other = options.model_copy(update={"engine": changed, "threads": 7})
    assert key_for(path, options, ORIN, "10.3.0") == key_for(path, other, ORIN, "10.3.0")


def test_a_portable_engine_serves_other_gpus_and_versions(make_model, make_options):
    path, options = make_model(), make_options()
    engine = options.engine.changed(engine_for="ampere_plus", engine_version_compatible=True)
    options = options.model_copy(update={"engine": engine})
    other = DeviceInfo("RTX", (8, 9), 24 << 30, False, 12080)
    assert key_for(path, options, ORIN, "10.3.0") == key_for(path, options, other, "10.13.3")


def test_the_environment_names_the_board_software(tmp_path):
    release = tmp_path / "nv_tegra_release"
    release.write_text("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n")
    assert environment(ORIN, "10.3.0", release) == {"TensorRT": "10.3.0", "driver": "12060", "L4T": "36.4.3"}
    assert environment(ORIN, "10.3.0", tmp_path / "none") == {"TensorRT": "10.3.0", "driver": "12060"}
