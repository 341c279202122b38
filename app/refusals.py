"""What is refused before anything is computed."""

import math

from app.codecs.questions import GradientQuestion
from app.errors import Cell, RequestError
from model import Float64s, InvalidInputError
from model.gradients import NODES, Sizes, check_question, vector_shape


def refuse_question(question: GradientQuestion, sizes: Sizes) -> None:
    """Refuse a derivative that there is not, or a loss without labels.

    Raises:
        RequestError: missing-field or no-derivative.
    """
    asked = question.asked
    if asked.of == "loss" and question.labels is None:
        raise RequestError("missing-field", "expected `labels`: the loss needs one for each row")
    try:
        check_question(asked, sizes)
    except InvalidInputError as error:
        field = "/of" if asked.of not in NODES else "/wrt"
        raise RequestError(error.reason, str(error), Cell(field, error.detail)) from None


def vector_of(question: GradientQuestion, sizes: Sizes) -> Float64s | None:
    """The vector in the shape it must have; a flat row's needs no brackets of a batch.

    Raises:
        RequestError: wrong-shape.
    """
    if question.vector is None:
        return None
    wanted = vector_shape(question.asked, sizes)
    if question.vector.shape == wanted:
        return question.vector
    if question.batch.flat and (1, *question.vector.shape) == wanted:
        return question.vector[None]
    detail = f"expected shape {list(wanted)}, got {list(question.vector.shape)}"
    raise RequestError("wrong-shape", f"{detail} at /vector", Cell("/vector", detail))


def refuse_result(shape: tuple[int, ...], largest: int) -> None:
    """Refuse what would be too much to answer.

    Raises:
        RequestError: result-too-large.
    """
    numbers = math.prod(shape)
    if numbers > largest:
        sizes = " x ".join(map(str, shape))
        raise RequestError(
            "result-too-large",
            f"the result would be {sizes} = {numbers} numbers; at most {largest} are answered",
        )
