"""The plugins of the tests do what they say: annotations are checked, and efforts reach XLA."""

import os

import jax.numpy as jnp
import pytest
from jaxtyping import TypeCheckError

from annotations import checked_when_called
from catallax.core import rng
from compile_effort import OPTIONS, flags_for_children


def test_annotations_of_the_library_are_checked():
    with pytest.raises(TypeCheckError):
        rng.to_uniform(jnp.ones(3))  # takes unsigned integers
    rng.to_uniform(jnp.ones(3, jnp.uint32))


def made(annotation):
    """A function of one name, made anew with an annotation of its own."""

    def inner(x: annotation):
        return x

    return checked_when_called(inner)


def test_functions_of_one_name_share_a_check_only_if_their_annotations_are_equal():
    assert made(int)(1) == 1 and made(str)("a") == "a"
    for annotation, wrong in ((int, "a"), (str, 1), (int, 1.5)):
        with pytest.raises(Exception, match="violates type hint"):
            made(annotation)(wrong)


def options() -> list:
    from jax._src import compiler

    return compiler.get_compile_options(num_replicas=1, num_partitions=1).env_option_overrides


@pytest.mark.parametrize("effort", [pytest.param(name, marks=pytest.mark.compile_effort(name)) for name in OPTIONS])
def test_the_effort_of_a_test_reaches_xla(effort):
    assert options() == OPTIONS[os.environ.get("CATALLAX_TEST_EFFORT", effort)]


def test_child_processes_get_the_effort_as_flags(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--one=1")
    monkeypatch.setenv("CATALLAX_TEST_EFFORT", "full")
    assert flags_for_children() == "--one=1"
    monkeypatch.delenv("CATALLAX_TEST_EFFORT")
    assert flags_for_children().startswith("--one=1 --xla_cpu_use_fusion_emitters=false")
