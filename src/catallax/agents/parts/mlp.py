"""Small dense networks as data: the parameters live in an agent's state, the structure in its static fields."""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped, UInt32

from catallax.core import InputError, Parametrized, check_count, count, rng


class Layer(NamedTuple):
    """One affine layer: x @ weight + bias."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]


def leaky_relu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x where positive, 0.01 x elsewhere."""
    return jnp.where(x > 0, x, 0.01 * x)


def same(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x: the final activation of networks whose output is unbounded."""
    return x


def check_widths(who: str, widths: object) -> None:
    """Raises `InputError` unless these are the widths of hidden layers, such as (64, 64)."""
    if not isinstance(widths, tuple):
        raise InputError(f"{who}: widths must be a tuple of layer widths, such as (64, 64), got {widths!r}")
    for width in widths:
        check_count(who, "a width", width)


def _orthogonal(normals: Float[Array, "m n"]) -> Float[Array, "m n"]:
    """Orthonormal columns (rows, if n > m), uniformly distributed. One column needs no QR, slow to compile.

    Source: Mezzadri (2007): QR of a Gaussian matrix, with the signs that make R's diagonal positive.
    """
    m, n = normals.shape
    if n == 1:
        return normals / jnp.linalg.norm(normals)
    if n > m:
        return _orthogonal(normals.T).T
    q, r = jnp.linalg.qr(normals)
    return q * jnp.where(jnp.diagonal(r) < 0, -1.0, 1.0)


class MLP(Parametrized):
    """A multilayer perceptron: hidden layers of the given widths with one activation, and a final activation.

    Hidden weights and biases start uniform on +-1/sqrt(inputs) (PyTorch's default); the output layer starts orthogonal
    with gain `final_gain` and zero bias.
    """

    widths: tuple[int, ...] = eqx.field(static=True)
    outputs: int = count(1)
    hidden: Callable[[Array], Array] = eqx.field(static=True, default=leaky_relu)
    final: Callable[[Array], Array] = eqx.field(static=True, default=jnp.tanh)
    final_gain: float = eqx.field(static=True, default=0.01)

    def __check_init__(self) -> None:
        check_widths("MLP", self.widths)

    def init(self, key: Shaped[PRNGKeyArray, ""], inputs: int) -> tuple[Layer, ...]:
        """Fresh parameters for inputs of that size. Consumes the key."""
        return self.layers(rng.draws(key, self.size(inputs)).first, inputs)

    def size(self, inputs: int) -> int:
        """How many draws of 32 random bits fresh parameters take."""
        return sum(map(math.prod, self._shapes(inputs)))

    def layers(self, bits: UInt32[Array, " size"], inputs: int) -> tuple[Layer, ...]:
        """Fresh parameters from `size(inputs)` draws of 32 random bits. Networks that share a draw compile faster."""
        shapes = self._shapes(inputs)
        starts = [0, *itertools.accumulate(map(math.prod, shapes[:-1]))]
        real = jnp.result_type(float)
        *hidden, _ = jnp.split((2 * rng.to_uniform(bits) - 1).astype(real), starts[1:])
        layers = []
        for (m, n), weight, bias in zip(shapes[:-1:2], hidden[::2], hidden[1::2], strict=True):
            layers.append(Layer(weight.reshape(m, n) * m**-0.5, bias * m**-0.5))
        last = rng.to_normal(bits[starts[-1] :]).astype(real).reshape(shapes[-1])
        return (*layers, Layer(_orthogonal(last) * self.final_gain, jnp.zeros(self.outputs)))

    def _shapes(self, inputs: int) -> list[tuple[int, ...]]:
        """Weight and bias of each hidden layer, then the weight of the output layer."""
        sizes = (inputs, *self.widths)
        hidden = [shape for m, n in itertools.pairwise(sizes) for shape in ((m, n), (n,))]
        return [*hidden, (sizes[-1], self.outputs)]

    def __call__(self, layers: tuple[Layer, ...], x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """The network's value for each row of `x`."""
        for layer in layers[:-1]:
            x = self.hidden(x @ layer.weight + layer.bias)
        return self.final(x @ layers[-1].weight + layers[-1].bias)
