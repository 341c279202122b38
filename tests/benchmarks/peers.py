"""The same derivatives by automatic differentiation, where it is installed."""

import importlib
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from model import Floats, Labels, Parameters

# Of JAX, read on import. The first flag alone was seen to leave two threads; NPROC sizes the pool.
LIMITS = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",
}

PACKAGES = ("torch", "captum", "jax")
TORCH, JAX, CAPTUM = "torch, vmap(jacrev)", "jax, jit(vmap(jacrev))", "captum"

Work = Callable[[], Floats]
Works = dict[str, Work | None]  # None: not installed


def limit_threads() -> None:
    """One thread for each of them, from now on; to be called before any is used."""
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    if torch := _torch():
        torch.set_num_threads(1)


def versions() -> str:
    """One line: which of them take part."""
    return "Peers: " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES) + "."


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def softmax_jacobians(logits: Floats) -> Works:
    """J of every row, (N, C, C)."""
    torch, jax = _torch(), _jax()
    works: Works = {TORCH: None, JAX: None}
    if torch:
        by_torch = torch.func.vmap(torch.func.jacrev(lambda z: torch.softmax(z, -1)))
        works[TORCH] = _called(by_torch, torch.from_numpy(logits))
    if jax:
        by_jax = jax.jit(jax.vmap(jax.jacrev(jax.nn.softmax)))
        works[JAX] = _awaited(by_jax, jax.numpy.asarray(logits))
    return works


def input_jacobians(parameters: Parameters, x: Floats) -> Works:
    """dp/dx of every row of a relu network, (N, C, D)."""
    torch, jax = _torch(), _jax()
    works: Works = {TORCH: None, JAX: None}
    if torch:
        by_torch = torch.func.vmap(torch.func.jacrev(_torch_network(torch, parameters)))
        works[TORCH] = _called(by_torch, torch.from_numpy(x))
    if jax:
        W1, b1, W2, b2 = (jax.numpy.asarray(array) for array in parameters)

        def network(row: Any) -> Any:  # Any: tracers
            return jax.nn.softmax(jax.nn.relu(row @ W1 + b1) @ W2 + b2)

        works[JAX] = _awaited(jax.jit(jax.vmap(jax.jacrev(network))), jax.numpy.asarray(x))
    return works


def integrated_gradients(parameters: Parameters, x: Floats, target: Labels, steps: int) -> Works:
    """Attributions of the target's probability, from a baseline of zeros, (N, D)."""
    torch, captum = _torch(), _module("captum.attr")
    if not (torch and captum):
        return {CAPTUM: None}
    peer = captum.IntegratedGradients(_torch_network(torch, parameters))
    rows, labels = torch.from_numpy(x), torch.from_numpy(target)
    baseline = torch.zeros_like(rows)
    return {CAPTUM: lambda: peer.attribute(rows, baseline, target=labels, n_steps=steps).numpy()}


def _torch_network(torch: Any, parameters: Parameters) -> Callable[[Any], Any]:
    W1, b1, W2, b2 = (torch.from_numpy(array) for array in parameters)
    return lambda x: torch.softmax(torch.relu(x @ W1 + b1) @ W2 + b2, -1)


def _called(function: Callable[[Any], Any], argument: Any) -> Work:
    return lambda: function(argument).numpy()  # a view


def _awaited(function: Callable[[Any], Any], argument: Any) -> Work:
    return lambda: np.asarray(function(argument).block_until_ready())  # a view


def _torch() -> Any:
    return _module("torch")


def _jax() -> Any:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # read on import
    return _module("jax")


def _module(name: str) -> Any:
    """Any: none of them is a dependency of ours, so their types may be absent."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None
