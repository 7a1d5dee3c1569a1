"""Stubs out of a wheel: what the bindings miss, libraries that stand in for it, and what has to be mended."""

import ast
import ctypes
import shutil
import subprocess

import pytest

READELF = """
 0x0000000000000001 (NEEDED)             Shared library: [libnvinfer.so.10]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x000000000000000e (SONAME)             Library soname: [tensorrt.so]
"""
NM = """
                 U PyList_New
                 U _Py_Dealloc
                 U createInferBuilder_INTERNAL
                 U memcpy@GLIBC_2.14
                 w __gmon_start__
"""


def test_what_the_bindings_miss_is_read_from_the_tools_of_the_compiler():
    from vendor.stubs import needed, undefined

    assert needed(READELF) == ["libnvinfer.so.10", "libc.so.6"]
    assert undefined(NM) == ["createInferBuilder_INTERNAL"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(self, in: float) -> None: ...", "def f(self, in_: float) -> None: ..."),
        ("def f(in: float) -> None: ...", "def f(in_: float) -> None: ..."),
        ("def f(*, in: float = 1) -> None: ...", "def f(*, in_: float = 1) -> None: ..."),
        ("def f(a: A = None, b: int) -> None: ...", "def f(a: A = None, b: int = ...) -> None: ..."),
        ("def f(a: int, s: Dims) -> Dims: ...", "def f(a: int, s: Dims | typing.Sequence[int]) -> Dims: ..."),
        ("class Dims:\n    n: int", "class Dims:\n    def __iter__(self) -> typing.Iterator[int]: ...\n    n: int"),
        ("import tensorrt_bindings.tensorrt", "import tensorrt.tensorrt"),
    ],
)
def test_a_stub_is_mended(before, after):
    from vendor.stubs import mended

    assert mended(before) == after
    ast.parse(after)


def test_stubs_come_under_the_public_name_and_one_that_is_no_python_is_named(tmp_path):
    from installer.console import SetupError
    from vendor.stubs import put_in_order

    (tmp_path / "made" / "plugin").mkdir(parents=True)
    (tmp_path / "made" / "__init__.pyi").write_text("def f(self, in: int) -> tensorrt_bindings.A: ...\n")
    (tmp_path / "made" / "plugin" / "__init__.pyi").write_text("x: int\n")
    put_in_order(tmp_path / "made", tmp_path / "stubs" / "tensorrt")
    stub = tmp_path / "stubs" / "tensorrt" / "__init__.pyi"
    assert stub.read_text() == "def f(self, in_: int) -> tensorrt.A: ...\n"
    assert (tmp_path / "stubs" / "tensorrt" / "plugin" / "__init__.pyi").is_file()
    (tmp_path / "made" / "__init__.pyi").write_text("x: int\ndef f(lambda): ...\n")
    with pytest.raises(SetupError, match=r"__init__\.pyi, line 2, is no Python: 'def f"):
        put_in_order(tmp_path / "made", tmp_path / "again")
    with pytest.raises(SetupError, match=r"made no .*none"):
        put_in_order(tmp_path / "none", tmp_path / "again")


@pytest.mark.skipif(not (shutil.which("cc") and shutil.which("readelf")), reason="needs a C compiler and binutils")
def test_a_library_that_is_missed_is_stood_in_for(tmp_path):
    from vendor.stubs import c_source, stand_ins

    wheel = tmp_path / "wheel"
    wheel.mkdir()
    compile_ = ["cc", "-shared", "-fPIC"]
    real = tmp_path / "real.c"
    real.write_text(c_source(["createInferBuilder_INTERNAL"]))
    real_library = tmp_path / "libnvinfer.so.10"
    subprocess.run([*compile_, "-Wl,-soname,libnvinfer.so.10", "-o", real_library, real], check=True)
    user = tmp_path / "user.c"
    user.write_text(
        "void *createInferBuilder_INTERNAL(void);\nvoid *f(void) { return createInferBuilder_INTERNAL(); }\n"
    )
    subprocess.run([*compile_, "-o", wheel / "tensorrt.so", user, real_library], check=True)
    stand_ins(wheel, tmp_path / "libraries")
    assert ctypes.CDLL(str(tmp_path / "libraries" / "libnvinfer.so.10")).createInferBuilder_INTERNAL() == 0
