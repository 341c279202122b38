"""Under /v2: the Open Inference Protocol, as its clients expect it. docs/open-inference.md."""

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Response

from app.access import Access
from app.admission import weight_of
from app.calls import Call
from app.codecs import cards, outputs
from app.codecs.answers import json_response
from app.codecs.bodies import json_length, read_body, read_inference_body
from app.codecs.compression import accepted, compressed
from app.codecs.control import decode_index, decode_load
from app.codecs.inference import DERIVED, RANKED, Offer, decode_inference, text_length
from app.errors import RequestError
from app.operations import Handler, add_route
from app.operations import router as routes_under
from app.repository import Served
from app.service import Service
from app.turns import in_thread

_ALWAYS = ("binary_tensor_data", "classification", "model_configuration", "statistics")
_CONTROL = ("model_repository", "model_repository(unload_dependents)")
_AS_TEXT = 16  # times as long as a number takes a class with its name
_MODEL, _VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"


def router(service: Service, *, gradient: bool, control: bool) -> APIRouter:
    """The routes, answering from `service`.

    Args:
        service: who computes.
        gradient: whether derivatives are among the outputs.
        control: whether models can be loaded and unloaded.
    """
    ask = _Handlers(service, gradient, control)

    routes = routes_under("Open Inference Protocol")
    for path in (_MODEL, _VERSION):
        _add(routes, "POST", f"{path}/infer", ask.infer)
    _add(routes, "GET", "/v2", ask.server)
    _add(routes, "GET", "/v2/", ask.server)
    _add(routes, "GET", "/v2/health/live", ask.live)
    _add(routes, "GET", "/v2/health/ready", ask.ready)
    _add(routes, "GET", "/v2/models", ask.names)
    _add(routes, "GET", "/v2/models/stats", ask.all_statistics)
    for path in (_MODEL, _VERSION):
        _add(routes, "GET", path, ask.model)
        _add(routes, "GET", f"{path}/ready", ask.model_ready)
        _add(routes, "GET", f"{path}/config", ask.configuration)
        _add(routes, "GET", f"{path}/stats", ask.statistics)
    _add(routes, "POST", "/v2/repository/index", ask.index)
    for act, handler in {"load": ask.load, "unload": ask.unload}.items():
        path = f"/v2/repository/models/{{name}}/{act}"
        add_route(routes, "POST", path, handler, Access.ADMIN)
    return routes


def _add(routes: APIRouter, method: str, path: str, handler: Handler) -> None:
    access = Access.HEALTH if path.startswith("/v2/health/") else Access.PREDICT
    add_route(routes, method, path, handler, access)


@dataclass(frozen=True)
class _Handlers:
    service: Service
    gradient: bool
    control: bool

    def _outputs(self, call: Call) -> tuple[str, ...]:
        """The names of those that there are for who asks."""
        return (*RANKED, *DERIVED) if self.gradient and Access.DEBUG in call.scopes else RANKED

    async def infer(self, call: Call) -> Response:
        """Outputs of a model for every row of its input."""
        service = self.service
        served = service.model(call.path_params)
        body = await read_inference_body(call, service.limits.body_bytes)
        offer = Offer(served.classifier.features, self._outputs(call), service.limits)
        length = json_length(call)

        def answer() -> outputs.Encoded:
            with service.counted(call, served) as run:
                question = decode_inference(body, length, offer)
                found = service.outputs(run, question)
                return outputs.encode_inference(served, question, found)

        weight = self._weight(served, body, text_length(length, len(body)))
        encoded = await service.admission.worked(weight, answer)
        coding = accepted(call.text(b"accept-encoding"))
        if coding is None:
            return outputs.inference(encoded, encoded.content, None)
        content = await service.admission.work(partial(compressed, encoded.content, coding))
        return outputs.inference(encoded, content, coding)

    def _weight(self, served: Served, body: bytes, length: int) -> int:
        """How long the answer to a body may take, which begins with so many bytes of JSON."""
        text = body[:length]
        # A Jacobian is long. And whoever escapes letters may have written any name.
        if b"\\" in text or any(name.encode() in text for name in DERIVED):
            return len(body) + self.service.limits.result_numbers
        weight = weight_of(served.widths, length, len(body) // 2)
        return _AS_TEXT * weight if b"classification" in text else weight

    async def server(self, call: Call) -> Response:
        """Name, version and extensions of the server."""
        control = _CONTROL if self.control and Access.ADMIN in call.scopes else ()
        gradient = ("gradient",) if self.gradient and Access.DEBUG in call.scopes else ()
        return json_response(cards.server_card((*_ALWAYS, *control, *gradient)))

    async def live(self, call: Call) -> Response:
        """The process is up."""
        return json_response({"live": True})

    async def ready(self, call: Call) -> Response:
        """Models are loaded and requests are welcome."""
        self.service.check_ready("POST /v2/repository/index")
        return json_response({"ready": True, "live": True})

    async def names(self, call: Call) -> Response:
        """The names of all models that are ready."""
        found = dict.fromkeys(served.name for served in self.service.repository.all())
        return json_response({"models": list(found)})

    async def model(self, call: Call) -> Response:
        """Inputs and outputs of a model."""
        served = self.service.model(call.path_params)
        versions = [other.version for other in self.service.repository.versions(served.name)]
        return json_response(cards.model_metadata(served, versions, self._outputs(call)))

    async def model_ready(self, call: Call) -> Response:
        """A model answers."""
        served = self.service.model(call.path_params)
        return json_response({"name": served.name, "ready": True})

    async def configuration(self, call: Call) -> Response:
        """Inputs and outputs of a model, and its largest batch."""
        served = self.service.model(call.path_params)
        rows = self.service.limits.rows
        return json_response(cards.model_configuration(served, self._outputs(call), rows))

    async def statistics(self, call: Call) -> Response:
        """What a model has answered, and how long it took; every version unless one is named."""
        served = self.service.model(call.path_params)
        named = "version" in call.path_params
        return self._counts([served] if named else self.service.repository.versions(served.name))

    async def all_statistics(self, call: Call) -> Response:
        """What every version of every model has answered, and how long it took."""
        return self._counts(self.service.repository.all())

    def _counts(self, models: list[Served]) -> Response:
        found = self.service.statistics.of
        stats = [cards.model_statistics(one, found(one.name, one.version)) for one in models]
        return json_response({"model_stats": stats})

    async def index(self, call: Call) -> Response:
        """Every version of every model that there is, and its state."""
        ready = decode_index(await read_body(call, self.service.limits.body_bytes))
        return json_response(cards.index(self.service.repository.index(), ready))

    async def load(self, call: Call) -> Response:
        """Load what is on disk; what is served answers until that has worked."""
        name = await self._controlled(call)
        await in_thread(partial(self.service.repository.load, name))
        return json_response({"name": name, "load": True})

    async def unload(self, call: Call) -> Response:
        """Stop serving a model."""
        name = await self._controlled(call)
        await in_thread(partial(self.service.repository.unload, name))
        return json_response({"name": name, "unload": True})

    async def _controlled(self, call: Call) -> str:
        """The model that is to be loaded or unloaded, if that is allowed."""
        if not self.control:
            detail = "models are not loaded and unloaded here; SOFTLENS_MODEL_CONTROL allows it"
            raise RequestError("model-control-off", detail)
        decode_load(await read_body(call, self.service.limits.body_bytes))
        name: str = call.path_params["name"]
        return name
