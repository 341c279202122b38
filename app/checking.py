"""Verdicts on posted gradients: at a probe, at arrays posted with them, at a served model."""

from collections.abc import Sequence
from typing import Any

from app.codecs.checks import CheckQuestion
from app.codecs.rows import Batch, Limits
from app.errors import Cell, RequestError
from app.pointing import label_indices, pointed, pointed_into
from app.repository import Served
from model import InvalidInputError
from model.gradients import Passed, Report, at_network, check, probe


def check_anywhere(question: CheckQuestion) -> Report:
    """The verdict at a probe, or at arrays that were posted with the gradient.

    Raises:
        RequestError: a name, shape or value is not what is expected.
    """
    try:
        given = question.given if question.probe is None else probe(*question.probe)
        return check(given or {}, question.candidate, question.precision)
    except InvalidInputError as error:
        raise pointed(error, question.root) from None


def check_at_model(
    served: Served,
    question: CheckQuestion,
    batch: Batch,
    names: Sequence[Any],  # Any: class names keep their JSON type
    limits: Limits,
) -> Report:
    """The verdict at a batch of a served model, whose weights act on raw features.

    Raises:
        RequestError: wrong-width, ragged-rows or unknown-label; a name, shape or value of the
            gradient is not what is expected; the model is too large.
    """
    classifier, rows = served.classifier, batch.rows
    if len(names) != len(rows):
        detail = f"expected {len(rows)} of them, one for each row, got {len(names)}"
        raise RequestError("ragged-rows", f"{detail}, at /labels", Cell("/labels", detail))
    weights = classifier.centred
    numbers = rows.size + sum(array.size for array in weights)
    if numbers > limits.check_numbers:
        detail = (
            f"this check would take {numbers} numbers; at most {limits.check_numbers} are checked"
        )
        raise RequestError("result-too-large", detail)

    labels = label_indices(names, served.classes, "labels")
    try:
        trace = classifier.trace(rows)
    except InvalidInputError as error:
        raise pointed_into(batch, error) from None
    # What the trace keeps apart to be exact: the bias that belongs to raw features.
    raw = weights._replace(b1=weights.b1 - classifier.centre @ weights.W1)
    passed = Passed(rows, trace.z1, trace.a1, trace.z2)
    try:
        point = at_network(raw, classifier.activation, passed, labels)
        return check(point, question.candidate, question.precision)
    except InvalidInputError as error:
        raise pointed(error, question.root) from None
