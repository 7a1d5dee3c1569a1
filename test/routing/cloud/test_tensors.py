import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.routing.cloud.base import CloudAnswerError, CloudRequestError, ServedModel, TensorInfo
from edge_ai.routing.cloud.tensors import DTYPES, array_bytes, check_answer, datatype_of, fits, from_raw, from_values

NUMBERS = [name for name in DTYPES if name != "BYTES"]


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_arrive_as_they_were(datatype):
    array = np.arange(6).astype(DTYPES[datatype]).reshape(1, 2, 3)
    info = TensorInfo("t", datatype, (1, 2, 3))
    assert datatype_of(array) == datatype
    np.testing.assert_array_equal(from_raw(info, array.tobytes()), array)
    np.testing.assert_array_equal(from_values(info, array.reshape(-1).tolist()), array)
    np.testing.assert_array_equal(from_values(info, array.tolist()), array)


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_bytes_arrive_as_they_were(texts):
    raw = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    found = from_raw(TensorInfo("t", "BYTES", (len(texts),)), raw)
    assert found.tolist() == texts
    assert array_bytes(found) == len(raw)


@given(st.binary(max_size=40), st.sampled_from([*DTYPES, "BF16", ""]), st.lists(st.integers(-2, 5), max_size=4))
def test_whatever_bytes_come_they_make_the_tensor_or_an_error(raw, datatype, shape):
    try:
        array = from_raw(TensorInfo("t", datatype, tuple(shape)), raw)
    except CloudAnswerError:
        return
    assert array.shape == tuple(shape)


@given(
    st.one_of(st.none(), st.text(), st.lists(st.one_of(st.integers(), st.floats(), st.text(), st.lists(st.none())))),
    st.sampled_from([*DTYPES, "BF16"]),
    st.lists(st.integers(-2, 5), max_size=3),
)
def test_whatever_values_come_they_make_the_tensor_or_an_error(values, datatype, shape):
    try:
        array = from_values(TensorInfo("t", datatype, tuple(shape)), values)
    except CloudAnswerError:
        return
    assert array.shape == tuple(shape)


def test_no_bytes_where_there_must_be_some():
    with pytest.raises(CloudAnswerError, match="numpy"):
        from_raw(TensorInfo("t", "FP32", (1, 4)), b"")
    assert from_raw(TensorInfo("t", "FP32", (0, 4)), b"").shape == (0, 4)


def test_a_type_that_the_protocol_lacks():
    with pytest.raises(CloudRequestError):
        datatype_of(np.zeros(2, np.complex64))


def test_open_sizes_fit_any():
    assert fits((1, 5), (-1, 5))
    assert not fits((1, 5), (-1, 4))
    assert not fits((1, 5, 1), (-1, 5))
    assert not fits((), (1,))


PROMISED = ServedModel("m", "1", {}, {"a": TensorInfo("a", "FP32", (-1, 4)), "b": TensorInfo("b", "INT32", (2,))})
A, B = np.zeros((3, 4), np.float32), np.zeros(2, np.int32)
TYPES = {"a": "FP32", "b": "INT32"}


def test_an_answer_as_promised():
    check_answer({"a": A, "b": B}, TYPES, (), PROMISED)
    check_answer({"a": A}, TYPES, ("a",), PROMISED)
    check_answer({"c": A}, {"c": "FP32"}, ("c",), None)


@pytest.mark.parametrize(
    ("outputs", "types", "wanted"),
    [
        ({"a": A}, TYPES, ()),
        ({"a": A}, TYPES, ("b",)),
        ({"a": A[:, :3], "b": B}, TYPES, ()),
        ({"a": A, "b": B}, {"a": "FP16", "b": "INT32"}, ()),
    ],
)
def test_an_answer_not_as_promised(outputs, types, wanted):
    with pytest.raises(CloudAnswerError):
        check_answer(outputs, types, wanted, PROMISED)
