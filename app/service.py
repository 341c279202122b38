"""What the routes ask for: predict and differentiate, within limits, on the right model."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from app.codecs.answers import Attributed, Derivative
from app.codecs.documents import is_plain
from app.codecs.questions import AttributionQuestion, GradientQuestion
from app.codecs.rows import Batch, Limits
from app.errors import Cell, RequestError
from app.repository import Repository, Served
from app.talk import quoted
from model import Float32s, Float64s, InvalidInputError, Labels
from model.gradients import (
    NODES,
    Network,
    Path,
    Point,
    Sizes,
    Tensor,
    attribute,
    check,
    count_of_tensors,
    derivative,
    point_of_logits,
    point_of_network,
    result_shape,
    tensors,
    vector_shape,
)


class Service:
    """The only code that touches the repository."""

    def __init__(
        self, repository: Repository, limits: Limits, max_body_bytes: int, max_result_numbers: int
    ) -> None:
        self.repository = repository
        self.limits = limits
        self.max_body_bytes = max_body_bytes
        self.max_result_numbers = max_result_numbers

    def model(self, named: Mapping[str, str]) -> Served:
        """The model that a path names, by `name` and perhaps `version`; otherwise the default.

        Raises:
            UnknownModelError: there is none.
        """
        if "name" not in named:
            return self.repository.default
        return self.repository.find(named["name"], named.get("version"))

    def predict(self, served: Served, batch: Batch) -> Float32s:
        """(N, C) probabilities of (N, D) features.

        Raises:
            RequestError: wrong-width, non-finite-result or result-too-large.
        """
        _check_result((len(batch.rows), len(served.classes)), self.limits.cells)
        with _pointing_into(batch):
            return served.classifier.predict(batch.rows)

    def derivative(self, served: Served, question: GradientQuestion) -> Derivative:
        """Any derivative of the network.

        Raises:
            RequestError: no-derivative, missing-field (labels), unknown-label, wrong-shape,
                wrong-width, non-finite-result or result-too-large.
        """
        rows, asked = len(question.batch.rows), question.asked
        classes: Sequence[Any] = served.classes  # Any: class names keep their JSON type
        features, hidden = served.classifier.centred.W1.shape
        sizes = Sizes(rows, features, hidden, len(classes))
        if question.given == "logits":
            classes = range(question.batch.rows.shape[1])
            sizes = Sizes(rows, 0, 0, len(classes))

        _check_question(question, sizes)
        _check_result(result_shape(asked, sizes), self.max_result_numbers)
        point = self._point(served, question, label_indices(question.labels, classes, "labels"))
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = derivative(point, asked, _vector(question, sizes))
        if not np.isfinite(gradient).all():
            raise RequestError("non-finite-result", "the derivative overflows at this point")
        return Derivative(asked, gradient, point.logits, point.probabilities)

    def attributions(self, served: Served, question: AttributionQuestion) -> Attributed:
        """How much each feature had to do with each answer.

        Raises:
            RequestError: unknown-label, wrong-shape, wrong-width or non-finite-result.
        """
        classifier, rows = served.classifier, question.batch.rows
        with _pointing_into(question.batch):
            trace = classifier.trace(rows)
        target = label_indices(question.target, served.classes, "target")
        if target is None:
            target = trace.z2.argmax(axis=1)

        baseline = classifier.centre if question.baseline is None else question.baseline
        if baseline.shape != classifier.centre.shape:
            detail = f"expected {classifier.features} numbers, got shape {list(baseline.shape)}"
            raise RequestError("wrong-shape", f"{detail} at /baseline", Cell("/baseline", detail))

        network = Network(classifier.centred, classifier.activation, classifier.centre)
        path = Path(rows, baseline, question.of, target, question.steps)
        with np.errstate(over="ignore", invalid="ignore"):
            found = attribute(network, path, question.method)
        if not all(np.isfinite(array).all() for array in found):
            raise RequestError("non-finite-result", "an attribution overflows at these inputs")
        return Attributed(
            question.method, question.of, [served.classes[i] for i in target], found, trace
        )

    def tensors(self, served: Served, question: GradientQuestion) -> list[Tensor]:
        """Every tensor of a forward and a backward pass.

        Raises:
            RequestError: unknown-label, wrong-width, non-finite-result or result-too-large.
        """
        classifier, batch = served.classifier, question.batch
        features, hidden = classifier.centred.W1.shape
        sizes = Sizes(len(batch.rows), features, hidden, len(served.classes))
        _check_result((count_of_tensors(sizes),), self.max_result_numbers)

        point = self._point(
            served, question, label_indices(question.labels, served.classes, "labels")
        )
        with np.errstate(over="ignore", invalid="ignore"):
            found = tensors(point)
        if not all(np.isfinite(tensor.value).all() for tensor in found):
            raise RequestError("non-finite-result", "a gradient overflows at these inputs")
        return found

    def _point(self, served: Served, question: GradientQuestion, labels: Labels | None) -> Point:
        batch, classifier = question.batch, served.classifier
        if question.given == "logits":
            return point_of_logits(batch.rows, labels)
        with _pointing_into(batch):
            trace = classifier.trace(batch.rows)
        return point_of_network(
            classifier.centred, classifier.activation, batch.rows, trace, labels
        )


def _check_question(question: GradientQuestion, sizes: Sizes) -> None:
    asked = question.asked
    if asked.of == "loss" and question.labels is None:
        raise RequestError("missing-field", "expected `labels`: the loss needs one for each row")
    try:
        check(asked, sizes)
    except InvalidInputError as error:
        field = "/of" if asked.of not in NODES else "/wrt"
        raise RequestError(error.reason, str(error), Cell(field, error.detail)) from None


def _vector(question: GradientQuestion, sizes: Sizes) -> Float64s | None:
    """The vector in the shape it must have; a flat row's needs no brackets of a batch."""
    if question.vector is None:
        return None
    wanted = vector_shape(question.asked, sizes)
    if question.vector.shape == wanted:
        return question.vector
    if question.batch.flat and (1, *question.vector.shape) == wanted:
        return question.vector[None]
    detail = f"expected shape {list(wanted)}, got {list(question.vector.shape)}"
    raise RequestError("wrong-shape", f"{detail} at /vector", Cell("/vector", detail))


def label_indices(names: Sequence[Any] | None, classes: Sequence[Any], field: str) -> Labels | None:
    """Class names as indices into the classes (Any: a class name keeps its JSON type).

    Raises:
        RequestError: unknown-label.
    """
    if names is None:
        return None
    # With their types, since to Python 1, 1.0 and true are one and the same key.
    position = {(type(name), name): i for i, name in enumerate(classes)}
    for row, name in enumerate(names):
        if is_plain(name) and (type(name), name) in position:
            continue
        shown = ", ".join(map(quoted, list(classes)[:10])) + (", ..." if len(classes) > 10 else "")
        place, detail = f"/{field}/{row}", f"expected one of the classes {shown}"
        raise RequestError("unknown-label", f"{detail} at {place}", Cell(place, detail))
    return np.array([position[type(name), name] for name in names], np.int64)


def _check_result(shape: tuple[int, ...], largest: int) -> None:
    """Refuse before computing it what would be too much to answer."""
    numbers = math.prod(shape)
    if numbers > largest:
        sizes = " x ".join(map(str, shape))
        raise RequestError(
            "result-too-large",
            f"the result would be {sizes} = {numbers} numbers; at most {largest} are answered",
        )


@contextmanager
def _pointing_into(batch: Batch) -> Iterator[None]:
    """What the model says of a row, said of the place where the client wrote it."""
    try:
        yield
    except InvalidInputError as error:
        cell = Cell(batch.pointer(error.row), error.detail)
        raise RequestError(error.reason, str(error), cell) from None
