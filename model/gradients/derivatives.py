"""The derivative of any node of the network with respect to any other, or to a parameter.

One loop over the edges between the two, from the `of` end for a Jacobian or a VJP, from the `wrt`
end for a JVP. Neither product builds the matrix. The dtype is that of the point: float64, for all
that softlens serves.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from model.arrays import Floats
from model.errors import InvalidInputError
from model.gradients.chain import ENTRIES, MATRICES, NODES, Edge, Point, path

Mode = Literal["jacobian", "vjp", "jvp"]
Shape = tuple[int, ...]


class Question(NamedTuple):
    """Which derivative is wanted."""

    of: str = "probabilities"  # one of NODES
    wrt: str = "logits"  # one of NODES, or a parameter
    mode: Mode = "jacobian"


class Sizes(NamedTuple):
    """The sizes of a batch and a network; 0 for what bare logits do not know."""

    rows: int
    features: int
    hidden: int
    classes: int


def sizes_of(point: Point) -> Sizes:
    """The sizes at a point."""
    rows, classes = point.logits.shape
    if point.parameters is None:
        return Sizes(rows, 0, 0, classes)
    features, hidden = point.parameters.W1.shape
    return Sizes(rows, features, hidden, classes)


def axes_of(name: str, sizes: Sizes) -> Shape:
    """The axes of a node without the batch, or those of a parameter."""
    _, features, hidden, classes = sizes
    return {
        "inputs": (features,), "z1": (hidden,), "a1": (hidden,), "logits": (classes,),
        "probabilities": (classes,), "loss": (),
        "W1": (features, hidden), "b1": (hidden,), "W2": (hidden, classes), "b2": (classes,),
    }[name]  # fmt: skip


def check_question(question: Question, sizes: Sizes) -> None:
    """Refuse a question that has no answer.

    Raises:
        InvalidInputError: `no-derivative`: unknown names, a node by itself, against the flow of
            the network, or beyond what bare logits know.
    """
    of, wrt, _ = question
    if of not in NODES:
        raise _none(f"expected `of` to be one of {', '.join(NODES)}")
    if wrt not in (*NODES, *ENTRIES):
        raise _none(f"expected `wrt` to be one of {', '.join((*NODES, *ENTRIES))}")
    if of == wrt:
        raise _none(f"`of` and `wrt` are both {of}")
    if _edges(of, wrt) is None:
        raise _none(f"{of} does not depend on {wrt}: data flows {' -> '.join(NODES)}")
    if not sizes.features and wrt not in ("logits", "probabilities"):
        raise _none(f"bare logits say nothing of {wrt}; send inputs instead")


def _none(detail: str) -> InvalidInputError:
    return InvalidInputError("no-derivative", detail)


def result_shape(question: Question, sizes: Sizes) -> Shape:
    """The shape of the answer, known before anything is computed.

    Args:
        question: one that `check_question` lets pass.
        sizes: of the batch and the network.

    Returns:
        As the table in docs/http-api.md.
    """
    of, wrt, mode = question
    of_axes, wrt_axes = axes_of(of, sizes), axes_of(wrt, sizes)
    if mode == "jvp":
        return () if of == "loss" else (sizes.rows, *of_axes)
    summed = wrt in ENTRIES and (of == "loss" or mode == "vjp")
    batch = () if summed else (sizes.rows,)
    return (*batch, *(of_axes if mode == "jacobian" else ()), *wrt_axes)


def vector_shape(question: Question, sizes: Sizes) -> Shape:
    """The shape that `vector` must have for a vjp or a jvp."""
    name = question.of if question.mode == "vjp" else question.wrt
    axes = axes_of(name, sizes)
    return axes if name in ENTRIES or name == "loss" else (sizes.rows, *axes)


def derivative(point: Point, question: Question, vector: Floats | None = None) -> Floats:
    """The derivative that was asked for.

    Args:
        point: where.
        question: one that `check_question` lets pass.
        vector: of `vector_shape`, for a vjp or a jvp.

    Returns:
        Of `result_shape`. The derivative of the loss with respect to a node holds the 1/N of the
        mean; that with respect to a parameter is summed over the rows, as is every vjp.

    Source: docs/mathematics.md, equations 7 to 17.
    """
    edges = _edges(question.of, question.wrt) or ()
    if question.mode == "jvp":
        return _push(point, question, edges, np.asarray(vector, _dtype(point)))
    if question.mode == "vjp":
        return _pull(point, question, edges, np.asarray(vector, _dtype(point)))
    return _jacobian(point, question, edges)


def _edges(of: str, wrt: str) -> tuple[Edge, ...] | None:
    return path(ENTRIES[wrt].node if wrt in ENTRIES else wrt, of)


def _jacobian(point: Point, question: Question, edges: tuple[Edge, ...]) -> Floats:
    """All unit vectors at once, from whichever end has fewer of them."""
    of, wrt, _ = question
    if of == "loss":
        return _pull(point, question, edges, np.ones((), _dtype(point)))

    sizes = sizes_of(point)
    width = axes_of(of, sizes)[0]
    if wrt in ENTRIES or axes_of(wrt, sizes)[0] >= width:
        return _pull(point, question, *_from_the_end(point, edges, width))
    start = _units(point, axes_of(wrt, sizes)[0])
    return np.swapaxes(_push(point, question, edges, start), 1, 2)


def _from_the_end(
    point: Point, edges: tuple[Edge, ...], width: int
) -> tuple[tuple[Edge, ...], Floats]:
    """The longest stretch at the `of` end whose matrix is known, and the edges before it."""
    for first, edge in enumerate(edges):
        matrix = MATRICES.get((edge.start, edges[-1].end))
        if matrix is not None:
            return edges[:first], matrix(point)
    return edges, _units(point, width)


def _units(point: Point, width: int) -> Floats:
    """(N, width, width) of unit vectors, without the memory of that."""
    return np.broadcast_to(np.eye(width, dtype=_dtype(point)), (len(point.logits), width, width))


def _dtype(point: Point) -> np.dtype[Any]:
    return point.probabilities.dtype


def _pull(point: Point, question: Question, edges: tuple[Edge, ...], v: Floats) -> Floats:
    """From `of` back to `wrt`."""
    if question.of == "loss":
        v = np.broadcast_to(v, (len(point.logits), 1))
    for edge in reversed(edges):
        v = edge.pull(point, v)
    return v if question.wrt not in ENTRIES else _into_parameter(point, question.wrt, v)


def _into_parameter(point: Point, name: str, v: Floats) -> Floats:
    """From the node a parameter enters at to the parameter itself (equations 13, 14, 16, 17).

    Args:
        point: where.
        name: of the parameter.
        v: (N, K), which is summed over the rows; or (N, of, K), which is not.
    """
    source = ENTRIES[name].source
    if v.ndim == 2:
        return v.sum(axis=0) if source is None else source(point).T @ v
    return v if source is None else np.einsum("ni,nok->noik", source(point), v)


def _push(point: Point, question: Question, edges: tuple[Edge, ...], vector: Floats) -> Floats:
    """From `wrt` forward to `of`."""
    t = vector
    if question.wrt in ENTRIES:
        source = ENTRIES[question.wrt].source
        t = (
            np.broadcast_to(t, (len(point.logits), *t.shape))
            if source is None
            else source(point) @ t
        )
    for edge in edges:
        t = edge.push(point, t)
    return t.sum() if question.of == "loss" else t
