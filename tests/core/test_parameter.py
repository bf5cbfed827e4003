"""Fields that check themselves: conversion, ranges, and whose name an error speaks of."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from jaxtyping import Array, Float

from catallax.core import InputError
from catallax.core.parameter import Parametrized, count, flag, number, numbers, static_number


class Rule(Parametrized):
    rate: Float[Array, ""] = number(0.1, "(0, 1]")
    target: Float[Array, ""] | None = number(None, "[0, inf)", optional=True)
    table: Float[Array, "..."] = numbers(0.0)
    size: int = count(3)
    width: int | None = count(None, 2, optional=True)
    margin: float = static_number(0.5, "[0, 1]")
    loud: bool = flag(False)


class Heir(Rule):
    other: Float[Array, ""] = number(1.0, "[0, 2]")

    def __check_init__(self):
        assert bool(self.other < 10)  # runs after the fields were checked


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rate": 0.0}, r"Rule: rate must lie in \(0, 1\], got 0"),
        ({"rate": float("nan")}, r"Rule: rate must lie in \(0, 1\]"),
        ({"rate": "a"}, "Rule: rate must be numbers, got 'a'"),
        ({"rate": [0.1, 0.2]}, r"Rule: rate must be one number, got an array of shape \(2,\)"),
        ({"target": -1}, r"Rule: target must lie in \[0, inf\)"),
        ({"table": [[1, 2], [3]]}, "Rule: table must be numbers"),
        ({"size": 0}, "Rule: size must be an integer of at least 1, got 0"),
        ({"size": 2.0}, "Rule: size must be an integer of at least 1"),
        ({"size": None}, "Rule: size must be an integer"),
        ({"width": 1}, "Rule: width must be an integer of at least 2"),
        ({"margin": 2.0}, r"Rule: margin must lie in \[0, 1\]"),
        ({"loud": 1}, "Rule: loud must be True or False"),
    ],
)
def test_what_lies_out_of_range_is_refused_by_name(given, says, as_users_have_it):
    with pytest.raises(InputError, match=says):
        Rule(**given)


def test_numbers_become_arrays_of_the_session_s_precision():
    assert Rule(rate=1).rate.dtype == jnp.float32
    with jax.enable_x64(True):
        assert Rule().rate.dtype == jnp.float64


def test_only_numbers_are_leaves():
    assert [x.shape for x in jax.tree.leaves(Rule(table=[1.0, 2.0]))] == [(), (2,)]


def test_an_heir_has_both_kinds_of_fields_and_its_own_check():
    assert float(Heir(rate=0.5).other) == 1.0
    with pytest.raises(InputError, match="Heir: other must lie in"):
        Heir(other=3.0)


def test_traced_values_pass_and_one_trace_serves_all():
    traces = []

    @eqx.filter_jit
    def use(rule):
        traces.append(1)
        return rule.rate

    assert float(use(Rule(rate=0.25))) == 0.25 and float(use(Rule(rate=0.5))) == 0.5 and len(traces) == 1
    assert float(jax.jit(lambda x: Rule(rate=x).rate)(0.3)) == pytest.approx(0.3)
