"""Numbers at the edge: intervals as on paper, counts, and values that a compiled program hides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import BuildError, InputError, check_count, check_number, known
from catallax.core.checks import as_host_numbers, as_numbers, check_flag, check_kind


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1]", (0, 1, 0.5), (-1e-9, 1.1, np.nan, np.inf)),
        ("(0, 1)", (0.5, np.float32(1e-30)), (0, 1, np.nan)),
        ("[0, inf)", (0, 1e300), (-1, np.inf, np.nan)),
        ("(0, inf]", (np.inf, 1), (0, -np.inf, np.nan)),
        ("[1, 1e6]", (1, 1e6), (0.999, 1.1e6)),
    ],
)
def test_a_number_lies_in_its_interval_or_is_refused(interval, inside, outside):
    for x in inside:
        check_number("It", "weight", x, interval)
    for x in outside:
        with pytest.raises(InputError) as said:
            check_number("It", "weight", x, interval)
        assert str(said.value) == f"It: weight must lie in {interval}, got {float(x):g}"


def test_an_array_is_no_number_traced_or_not():
    with pytest.raises(InputError, match=r"It: weight must be one number, got an array of shape \(2,\)"):
        check_number("It", "weight", jnp.zeros(2), "[0, 1]")
    with pytest.raises(InputError, match="one number"):
        jax.jit(lambda x: check_number("It", "weight", x, "[0, 1]"))(jnp.zeros(2))


@pytest.mark.parametrize("value", [None, "0.5", True, 0.5 + 1j, [None]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InputError, match=r"It: weight must be a number in \[0, 1\], got"):
        check_number("It", "weight", value, "[0, 1]")
    check_number("It", "weight", jnp.bfloat16(0.5), "[0, 1]")


def test_a_traced_number_cannot_be_looked_at():
    seen = []
    jax.jit(lambda x: seen.append((known(x), check_number("It", "weight", x, "[0, 1]"))))(5.0)
    assert seen == [(None, None)] and known(5.0) == 5.0


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None])
def test_a_count_is_an_integer_of_at_least_the_least(value):
    check_count("It", "size", 1)
    check_count("It", "size", 0, 0)
    with pytest.raises(InputError, match="It: size must be an integer of at least 1, got"):
        check_count("It", "size", value)
    with pytest.raises(BuildError):
        check_count("It", "size", value, error=BuildError)


@pytest.mark.parametrize("read", [as_numbers, as_host_numbers])
@pytest.mark.parametrize("value", [None, "3", 1j, np.ones(2, complex), [1, [2]], {}, object(), lambda x: x])
def test_what_is_no_array_of_numbers_is_refused(read, value):
    np.testing.assert_array_equal(read("It", "sizes", [1, 2.5]), [1, 2.5])
    with pytest.raises(InputError, match="It: sizes must be numbers, got"):
        read("It", "sizes", value)


def test_another_class_and_what_is_no_flag_are_refused():
    check_kind("It", "size", 3, int, float)
    with pytest.raises(InputError, match="It: size must be of the class int or float, got '3'"):
        check_kind("It", "size", "3", int, float)
    check_flag("It", "open", False)
    with pytest.raises(InputError, match="It: open must be True or False, got '0'"):
        check_flag("It", "open", 0)
