"""Small dense networks as data: the parameters live in an agent's state, the structure in its static fields."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped


class Layer(NamedTuple):
    """One affine layer: x @ weight + bias."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]


def leaky_relu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x where positive, 0.01 x elsewhere."""
    return jnp.where(x > 0, x, 0.01 * x)


def _orthogonal(key: Shaped[PRNGKeyArray, ""], m: int, n: int) -> Float[Array, "{m} {n}"]:
    """Orthonormal columns (rows, if n > m), uniformly distributed. One column needs no QR, slow to compile."""
    if n == 1:
        column = jax.random.normal(key, (m, 1))
        return column / jnp.linalg.norm(column)
    return jax.nn.initializers.orthogonal()(key, (m, n))


class MLP(eqx.Module):
    """A multilayer perceptron: hidden layers of the given widths with one activation, and a final activation.

    Hidden weights and biases start uniform on +-1/sqrt(inputs) (PyTorch's default); the output layer starts orthogonal
    with gain `final_gain` and zero bias.
    """

    widths: tuple[int, ...] = eqx.field(static=True)
    outputs: int = eqx.field(static=True, default=1)
    hidden: Callable[[Array], Array] = eqx.field(static=True, default=leaky_relu)
    final: Callable[[Array], Array] = eqx.field(static=True, default=jnp.tanh)
    final_gain: float = eqx.field(static=True, default=0.01)

    def init(self, key: Shaped[PRNGKeyArray, ""], inputs: int) -> tuple[Layer, ...]:
        """Fresh parameters for inputs of that size. Consumes the key."""
        sizes = (inputs, *self.widths)
        *keys, last = jax.random.split(key, 2 * len(self.widths) + 1)
        layers = []
        for i, (m, n) in enumerate(itertools.pairwise(sizes)):
            bound = m**-0.5
            layers.append(
                Layer(
                    jax.random.uniform(keys[2 * i], (m, n), minval=-bound, maxval=bound),
                    jax.random.uniform(keys[2 * i + 1], (n,), minval=-bound, maxval=bound),
                )
            )
        layers.append(Layer(_orthogonal(last, sizes[-1], self.outputs) * self.final_gain, jnp.zeros(self.outputs)))
        return tuple(layers)

    def __call__(self, layers: tuple[Layer, ...], x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """The network's value for each row of `x`."""
        for layer in layers[:-1]:
            x = self.hidden(x @ layer.weight + layer.bias)
        return self.final(x @ layers[-1].weight + layers[-1].bias)
