"""What the routes ask for: predict and differentiate, within limits, on the right model."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.codecs.questions import GradientQuestion
from app.codecs.rows import Batch, Limits
from app.errors import Cell, RequestError
from app.repository import Repository, Served
from model import Float32s, Floats, InvalidInputError
from model.gradients import Derivative, softmax_derivative


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
        """The softmax Jacobian for every row.

        Raises:
            RequestError: wrong-width, non-finite-result or result-too-large.
        """
        batch = question.batch
        rows, classes = len(batch.rows), len(served.classes)
        logits: Floats = batch.rows
        if question.given == "logits":
            classes = logits.shape[1]
        _check_result((rows, classes, classes), self.max_result_numbers)

        if question.given == "inputs":
            with _pointing_into(batch):
                logits = served.classifier.trace(batch.rows).z2
        return softmax_derivative(logits)


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
