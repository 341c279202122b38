"""What the routes ask for: predict and differentiate, within limits, on the right model."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from app.admission import Admission
from app.calls import Call
from app.checking import check_anywhere, check_at_model
from app.codecs.answers import Attributed, Derivative
from app.codecs.checks import CheckQuestion
from app.codecs.inference import DERIVED, Inference
from app.codecs.questions import AttributionQuestion, GradientQuestion
from app.codecs.rows import Batch, Limits
from app.errors import Cell, NotReadyError, RequestError
from app.life import Life
from app.pointing import label_indices, pointed_into
from app.refusals import refuse_question, refuse_result, vector_of
from app.repository import Repository, Served
from app.statistics import Run, Statistics
from model import Answer, Float32s, Floats, InvalidInputError
from model.gradients import (
    Network,
    Path,
    Point,
    Probe,
    Report,
    Sizes,
    Tensor,
    attribute,
    count_of_tensors,
    derivative,
    point_of_logits,
    point_of_network,
    probe,
    result_shape,
    tensors,
)

T = TypeVar("T")


class Service:
    """The only code that touches the repository and counts what is asked of it."""

    def __init__(self, repository: Repository, limits: Limits, admission: Admission) -> None:
        self.repository = repository
        self.limits = limits
        self.admission = admission
        self.statistics = Statistics()
        self.life = Life()

    def check_ready(self, index: str) -> None:
        """Let pass only while requests are welcome.

        Args:
            index: what to ask for the reason that a model is not served.

        Raises:
            NotReadyError: the server is stopping, or has no model.
        """
        if self.life.draining:
            raise NotReadyError("this server is stopping; ask another one")
        if not self.repository.all():
            raise NotReadyError(f"no model is loaded; {index} tells why")

    def model(self, named: Mapping[str, str]) -> Served:
        """The model that a path names, by `name` and perhaps `version`; otherwise the default.

        Raises:
            UnknownModelError: there is none.
        """
        if "name" not in named:
            return self.repository.default
        return self.repository.find(named["name"], named.get("version"))

    def counted(self, call: Call, served: Served) -> Run:
        """A context for one request to a model: from decoding its body to encoding its answer."""
        call.run = Run(served, self.statistics)
        return call.run

    def predict(self, run: Run, batch: Batch) -> Float32s:
        """(N, C) probabilities of (N, D) features.

        Raises:
            RequestError: wrong-width, non-finite-result or result-too-large.
        """
        run.probabilities = self._computed(run, batch, run.served.classifier.predict)
        return run.probabilities

    def answer(self, run: Run, batch: Batch) -> Answer:
        """Logits and probabilities of (N, D) features.

        Raises:
            RequestError: as for `predict`.
        """
        answer = self._computed(run, batch, run.served.classifier.answer)
        run.probabilities = answer.probabilities
        return answer

    def _computed(self, run: Run, batch: Batch, compute: Callable[[Floats], T]) -> T:
        since, rows = time.perf_counter_ns(), batch.rows
        refuse_result((len(rows), run.served.widths[2]), self.limits.cells)
        try:
            found = compute(rows)
        except InvalidInputError as error:
            raise pointed_into(batch, error) from None
        run.computed(len(rows), since)
        return found

    def outputs(self, run: Run, question: Inference) -> dict[str, Floats]:
        """The outputs that an inference asks for, by name.

        Raises:
            RequestError: as for `answer` and `derivative`.
        """
        batch, names = question.batch, {wanted.name for wanted in question.outputs}
        for wanted in question.outputs:
            shown = min(wanted.classes, len(run.served.classes))
            refuse_result((len(batch.rows), shown), self.limits.result_numbers)

        found: dict[str, Floats] = {}
        if names - DERIVED.keys():
            found |= self.answer(run, batch)._asdict()
        if "logits" in names and not np.isfinite(found["logits"]).all():
            raise RequestError("non-finite-result", "a logit overflows float32")
        for name in names & DERIVED.keys():
            exact = batch._replace(rows=batch.rows.astype(np.float64, copy=False))
            asked = GradientQuestion("inputs", exact, DERIVED[name], None, None)
            found[name] = self.derivative(run, asked).gradient
        return found

    def derivative(self, run: Run, question: GradientQuestion) -> Derivative:
        """Any derivative of the network.

        Raises:
            RequestError: no-derivative, missing-field (labels), unknown-label, wrong-shape,
                wrong-width, non-finite-result or result-too-large.
        """
        since, served = time.perf_counter_ns(), run.served
        rows, asked = len(question.batch.rows), question.asked
        classes: Sequence[Any] = served.classes  # Any: class names keep their JSON type
        features, hidden = served.classifier.centred.W1.shape
        sizes = Sizes(rows, features, hidden, len(classes))
        if question.given == "logits":
            classes = range(question.batch.rows.shape[1])
            sizes = Sizes(rows, 0, 0, len(classes))

        refuse_question(question, sizes)
        refuse_result(result_shape(asked, sizes), self.limits.result_numbers)
        point = self._point(served, question, classes)
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = derivative(point, asked, vector_of(question, sizes))
        if not np.isfinite(gradient).all():
            raise RequestError("non-finite-result", "the derivative overflows at this point")
        if question.given == "inputs":
            run.computed(rows, since)
        return Derivative(asked, gradient, point.logits, point.probabilities)

    def attributions(self, run: Run, question: AttributionQuestion) -> Attributed:
        """How much each feature had to do with each answer.

        Raises:
            RequestError: unknown-label, wrong-shape, wrong-width or non-finite-result.
        """
        since, served = time.perf_counter_ns(), run.served
        classifier, rows = served.classifier, question.batch.rows
        try:
            trace = classifier.trace(rows)
        except InvalidInputError as error:
            raise pointed_into(question.batch, error) from None
        target = trace.z2.argmax(axis=1)
        if question.target is not None:
            target = label_indices(question.target, served.classes, "target")

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
        run.computed(len(rows), since)
        return Attributed(
            question.method, question.of, [served.classes[i] for i in target], found, trace
        )

    def tensors(self, run: Run, question: GradientQuestion) -> list[Tensor]:
        """Every tensor of a forward and a backward pass.

        Raises:
            RequestError: unknown-label, wrong-width, non-finite-result or result-too-large.
        """
        since, served = time.perf_counter_ns(), run.served
        classifier, batch = served.classifier, question.batch
        features, hidden = classifier.centred.W1.shape
        sizes = Sizes(len(batch.rows), features, hidden, len(served.classes))
        refuse_result((count_of_tensors(sizes),), self.limits.result_numbers)

        point = self._point(served, question, served.classes)
        with np.errstate(over="ignore", invalid="ignore"):
            found = tensors(point)
        if not all(np.isfinite(tensor.value).all() for tensor in found):
            raise RequestError("non-finite-result", "a gradient overflows at these inputs")
        run.computed(len(batch.rows), since)
        return found

    def check(self, run: Run, question: CheckQuestion) -> Report:
        """The verdict on a gradient of somebody's own.

        Raises:
            RequestError: a name, shape or value is not what is expected, or there are too many.
        """
        if question.served is None:
            return check_anywhere(question)
        since, (batch, labels) = time.perf_counter_ns(), question.served
        report = check_at_model(run.served, question, batch, labels, self.limits)
        run.computed(len(batch.rows), since)
        return report

    def probe(self, level: str, seed: int) -> Probe:
        """The problem with this level and seed.

        Raises:
            RequestError: there is none.
        """
        try:
            return probe(level, seed)
        except InvalidInputError as error:
            raise RequestError(error.reason, str(error)) from None

    def _point(self, served: Served, question: GradientQuestion, classes: Sequence[Any]) -> Point:
        batch, classifier, labels = question.batch, served.classifier, None
        if question.labels is not None:
            labels = label_indices(question.labels, classes, "labels")
        if question.given == "logits":
            return point_of_logits(batch.rows, labels)
        try:
            trace = classifier.trace(batch.rows)
        except InvalidInputError as error:
            raise pointed_into(batch, error) from None
        return point_of_network(
            classifier.centred, classifier.activation, batch.rows, trace, labels
        )
