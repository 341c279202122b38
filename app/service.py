"""What the routes ask for: predict and differentiate, within limits, on the right model."""

from collections.abc import Mapping

from app.codecs.questions import GradientQuestion
from app.codecs.rows import Limits
from app.errors import RequestError
from app.repository import Repository, Served
from model import Float32s, Float64s, Floats
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

    def predict(self, served: Served, inputs: Float64s) -> Float32s:
        """(N, C) probabilities of (N, D) features.

        Raises:
            InvalidInputError: wrong-width or non-finite-result.
        """
        return served.classifier.predict(inputs)

    def derivative(self, served: Served, question: GradientQuestion) -> Derivative:
        """The softmax Jacobian for every row.

        Raises:
            InvalidInputError: wrong-width or non-finite-result.
            RequestError: result-too-large.
        """
        logits: Floats = question.rows
        if question.given == "inputs":
            logits = served.classifier.trace(question.rows).z2

        shape = (*logits.shape, logits.shape[1])
        numbers = shape[0] * shape[1] * shape[2]
        if numbers > self.max_result_numbers:
            raise RequestError(
                "result-too-large",
                f"the result would be {shape[0]} x {shape[1]} x {shape[2]} = {numbers} numbers; "
                f"at most {self.max_result_numbers} are answered",
            )
        return softmax_derivative(logits)
