"""Parts of learners: first weights by their laws, and Adam on a vector beside optax's on the tree."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree
from scipy import stats

from catallax.agents.parts import MLP
from catallax.agents.parts.descent import begin, descend
from catallax.core import rng

pytestmark = pytest.mark.compile_effort("least")


def test_hidden_weights_and_biases_are_uniform_within_one_over_the_root_of_the_inputs():
    layers = MLP((300, 40)).init(rng.key(3), 25)
    for layer, inputs in zip(layers[:-1], (25, 300), strict=True):
        for x in layer:
            assert stats.kstest(np.ravel(x) * inputs**0.5, "uniform", (-1, 2)).pvalue > 1e-3
    assert [x.shape for layer in layers for x in layer] == [(25, 300), (300,), (300, 40), (40,), (40, 1), (1,)]
    numbers = np.concatenate([np.ravel(x) for x in (*layers[0], *layers[1])])
    assert np.unique(numbers).size > 0.99 * numbers.size  # no bits are used twice


@pytest.mark.parametrize("outputs", [1, 3, 7])
@pytest.mark.parametrize("widths", [(), (5,)])
def test_output_weights_are_orthogonal_with_the_gain(outputs, widths):
    """Orthonormal columns, or rows where there are more columns than rows."""
    weight, bias = MLP(widths, outputs, final_gain=0.5).init(rng.key(0), 5)[-1]
    small = weight if outputs <= 5 else weight.T
    np.testing.assert_allclose(small.T @ small, 0.25 * np.eye(small.shape[1]), atol=1e-6)
    assert not bias.any()


@pytest.mark.parametrize("outputs", [1, 2])
def test_orthogonal_columns_have_no_preferred_direction(outputs):
    """Every entry of a uniform orthonormal frame in R^3 is uniform on [-1, 1] (Archimedes)."""
    draw = jax.vmap(lambda key: MLP((), outputs, final_gain=1.0).init(key, 3)[-1].weight)
    entries = np.asarray(draw(jax.random.split(rng.key(1), 4000)))
    for i in range(3):
        for j in range(outputs):
            assert stats.kstest(entries[:, i, j], "uniform", (-1, 2)).pvalue > 1e-3


def test_networks_that_share_a_draw_use_different_bits():
    a, b = MLP((4,)), MLP((6,), 2)
    bits = rng.draws(rng.key(0), a.size(3) + b.size(3)).first
    alone = a.init(rng.key(0), 3)
    jax.tree.map(np.testing.assert_array_equal, a.layers(bits[: a.size(3)], 3)[0], alone[0])
    assert b.layers(bits[a.size(3) :], 3)[-1].weight.shape == (6, 2)


@pytest.mark.parametrize("norm", [0.5, 100.0])
def test_a_step_is_that_of_clipped_adam_leaf_by_leaf(norm):
    random = np.random.default_rng(0)
    tree = lambda: (
        jnp.asarray(random.normal(size=(3, 4))),
        {"b": jnp.asarray(random.normal(size=4)), "c": jnp.ones(())},
    )
    reference = optax.chain(optax.clip_by_global_norm(norm), optax.adam(0.01))
    theirs = tree()
    memory = reference.init(theirs)
    flat, restored = ravel_pytree(theirs)
    adam = begin(theirs)
    for _ in range(5):
        gradient = tree()
        update, memory = reference.update(gradient, memory)
        theirs = optax.apply_updates(theirs, update)
        flat, adam, size = descend(flat, gradient, adam, 0.01, norm)
        assert float(size) == pytest.approx(float(optax.tree.norm(gradient)), rel=1e-6)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), restored(flat), theirs)
