"""What our code uses of cuda-bindings, held against what is there."""

import sys

import pytest

THERE = {
    "cudaMalloc": {"members": [], "signature": "cudaMalloc(size_t size)"},
    "cudaHostAlloc": {"members": [], "signature": "cudaHostAlloc(size_t size, flags=0)"},
    "cudaHostAllocMapped": {"members": [], "signature": ""},
    "cudaMemcpyKind": {"members": ["cudaMemcpyHostToDevice"], "signature": ""},
}


def faults(source):
    from vendor import names

    return [(use.line, words) for use, words in names.faults(names.uses(source), THERE)]


@pytest.mark.parametrize(
    "source",
    [
        "runtime.cudaMalloc(1)",
        "call('cudaMalloc', 1)",
        "call('cudaHostAlloc', 1)\ncall('cudaHostAlloc', 1, flags)\ncall('cudaHostAlloc', *many)",
        "runtime.cudaMemcpyKind.cudaMemcpyHostToDevice",
        "getattr(runtime.cudaMemcpyKind, kind)\ncopy('cudaMemcpyHostToDevice')",
        "flags = runtime.cudaHostAllocMapped",
        "'cudaMallocManaged would be slower here'",
    ],
)
def test_what_is_there_is_fine(source):
    assert faults(source) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("runtime.cudaMallocTypo(1)", "cuda.bindings.runtime has no cudaMallocTypo"),
        ("x = 1\ncall('cudaFreeTypo')", "cuda.bindings.runtime has no cudaFreeTypo"),
        ("runtime.cudaMemcpyKind.cudaHostAllocMapped", "cudaMemcpyKind has no cudaHostAllocMapped"),
        ("call('cudaMalloc', 1, 2)", "cudaMalloc takes 1 arguments, is called with 2"),
        ("runtime.cudaHostAlloc()", "cudaHostAlloc takes 1 to 2 arguments, is called with 0"),
    ],
)
def test_what_is_not_there_is_found_with_its_line(source, words):
    assert (source.count("\n") + 1, words) in faults(source)


def test_a_lazy_import_counts():
    from vendor.names import RUNTIME, imports

    assert imports("def f():\n    from cuda.bindings import runtime\n", RUNTIME)
    assert imports("import cuda.bindings.runtime as cudart\n", RUNTIME)
    assert not imports("from cuda.bindings import driver\n", RUNTIME)
    assert not imports("import cuda\n", RUNTIME)


def test_an_unreadable_signature_allows_anything():
    from vendor.names import parameters

    assert parameters("cudaMalloc(size_t size)") == (1, 1)
    assert parameters("cudaMemcpy(dst, src, size_t count, kind: cudaMemcpyKind)") == (4, 4)
    assert parameters("cudaDeviceReset()") == (0, 0)
    assert parameters("") == (0, float("inf"))


def test_a_module_is_listed_by_the_interpreter_it_belongs_to(tmp_path):
    from vendor.names import offers

    (tmp_path / "vendors.py").write_text(
        'import enum\n\nclass Kind(enum.Enum):\n    A = 1\n\ndef f(a):\n    """f(a)\n    more"""\n'
    )
    there = offers(tmp_path, sys.executable, "vendors")
    assert "A" in there["Kind"]["members"]
    assert there["f"]["signature"] == "f(a)"


def test_a_module_that_cannot_be_imported_is_named_with_the_reason(tmp_path):
    from installer.console import SetupError
    from vendor.names import offers

    with pytest.raises(SetupError, match=r"vendors of .* cannot be imported: .*No module named 'vendors'"):
        offers(tmp_path, sys.executable, "vendors")
