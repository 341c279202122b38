"""The same networks trained by automatic differentiation, where it is installed; one thread."""

from collections.abc import Callable
from typing import Any  # Any: peers are no dependencies of ours, so their types may be absent

import numpy as np

from model.training.loop import Rows
from tests.benchmarks.peers import _jax, _torch

TORCH, JAX = "torch, fused Adam", "jax, an epoch in lax.scan"
RATE = 1e-3

Shape = tuple[int, int, int]  # D, H, C
Works = dict[str, Callable[[], object]]


def epochs(rows: Rows, shape: Shape, batch: int) -> Works:
    """One more epoch at each call, of those that are here."""
    works: Works = {}
    if torch := _torch():
        works[TORCH] = _torch_epoch(torch, rows, shape, batch)
    if jax := _jax():
        works[JAX] = _jax_epoch(jax, rows, shape, batch)
    return works


def fits(rows: Rows, shape: Shape, batch: int, number: int) -> Works:
    """So many epochs from the beginning; only torch, for jax would compile anew each time."""
    torch = _torch()
    if not torch:
        return {}

    def fit() -> None:
        epoch = _torch_epoch(torch, rows, shape, batch)
        for _ in range(number):
            epoch()

    return {TORCH: fit}


def _torch_epoch(torch: Any, rows: Rows, shape: Shape, batch: int) -> Callable[[], object]:
    features, hidden, classes = shape
    layers = (torch.nn.Linear(features, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes))
    network, loss = torch.nn.Sequential(*layers), torch.nn.functional.cross_entropy
    adam = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    x, y = torch.from_numpy(rows.inputs), torch.from_numpy(rows.labels)

    def epoch() -> None:
        for chosen in torch.randperm(len(y)).split(batch):
            adam.zero_grad(set_to_none=True)
            loss(network(x[chosen]), y[chosen]).backward()
            adam.step()

    return epoch


def _jax_epoch(jax: Any, rows: Rows, shape: Shape, batch: int) -> Callable[[], object]:
    """The rows that fill no batch are left out: its programs are compiled for one size."""
    jnp, rng = jax.numpy, np.random.default_rng(0)
    features, hidden, classes = shape
    W1 = rng.normal(scale=np.sqrt(2 / features), size=(features, hidden))
    W2 = rng.normal(scale=np.sqrt(1 / hidden), size=(hidden, classes))
    start = (W1, np.zeros(hidden), W2, np.zeros(classes))
    theta = tuple(jnp.asarray(array, jnp.float32) for array in start)
    zeros = tuple(jnp.zeros_like(array) for array in theta)
    x, y = jnp.asarray(rows.inputs), jnp.asarray(rows.labels.astype(np.int32))

    def loss(theta: Any, x: Any, y: Any) -> Any:
        W1, b1, W2, b2 = theta
        log_p = jax.nn.log_softmax(jax.nn.relu(x @ W1 + b1) @ W2 + b2)
        return -jnp.take_along_axis(log_p, y[:, None], 1).mean()

    def step(state: Any, chosen: Any) -> Any:
        theta, means, squares, t = state
        gradient, t = jax.grad(loss)(theta, x[chosen], y[chosen]), t + 1
        means = tuple(0.9 * m + 0.1 * g for m, g in zip(means, gradient, strict=True))
        squares = tuple(0.999 * v + 0.001 * g * g for v, g in zip(squares, gradient, strict=True))
        root = jnp.sqrt(1 - 0.999**t)
        rate = RATE * root / (1 - 0.9**t)
        moved = zip(theta, means, squares, strict=True)
        theta = tuple(w - rate * m / (jnp.sqrt(v) + 1e-8 * root) for w, m, v in moved)
        return (theta, means, squares, t), None

    scanned = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0], donate_argnums=0)
    state = [(theta, zeros, tuple(jnp.zeros_like(array) for array in theta), jnp.float32(0))]

    def epoch() -> None:
        order = rng.permutation(len(rows.labels)).astype(np.int32)
        whole = order[: len(order) // batch * batch].reshape(-1, batch)
        state[0] = jax.block_until_ready(scanned(state[0], whole))

    return epoch
