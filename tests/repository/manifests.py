"""The manifests of docs/deploy, and what they say about the container, whatever the platform."""

import copy
from typing import Any, NamedTuple

import yaml

from tests.serving import ROOT

DEPLOY = ROOT / "docs" / "deploy"
Manifest = dict[str, Any]  # Any: what YAML holds


class Claims(NamedTuple):
    """What one platform's manifests say about the container."""

    platform: str
    image: str
    environment: dict[str, str]
    port: int  # inside the container
    paths: list[str]  # that are asked for its health
    identity: tuple[int, int]  # user and group
    memory: int  # limit, in bytes
    grace: float  # seconds from SIGTERM to SIGKILL


def load(path: str) -> Manifest:
    """A file of docs/deploy. Each holds one document."""
    manifest: Manifest = yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))
    return manifest


def changed(manifest: Manifest, path: str, value: object) -> Manifest:
    """A copy in which `path`, keys and positions with dots between them, holds `value`."""
    result = copy.deepcopy(manifest)
    *ways, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    holder: Any = result  # Any: what YAML holds
    for way in ways:
        holder = holder[way]
    holder[last] = value
    return result


def files() -> list[str]:
    """Every manifest, as `load` takes it."""
    return [str(path.relative_to(DEPLOY)) for path in sorted(DEPLOY.rglob("*.yaml"))]


def container_of(pod: Manifest) -> Manifest:
    """The only container of a pod."""
    (container,) = pod["containers"]
    found: Manifest = container
    return found


def kubernetes_pod() -> Manifest:
    """The pod that the Deployment makes."""
    pod: Manifest = load("kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    return pod


def kserve_pod() -> Manifest:
    """The pod that the ServingRuntime describes."""
    pod: Manifest = load("kserve/serving-runtime.yaml")["spec"]
    return pod


def compose_service() -> Manifest:
    """The only service of the Compose file."""
    (service,) = load("compose/compose.yaml")["services"].values()
    found: Manifest = service
    return found


def all_claims() -> list[Claims]:
    """What each platform's files say."""
    return [_of_kubernetes(), _of_kserve(), _of_compose()]


def probes_of(container: Manifest) -> list[Manifest]:
    """The requests that Kubernetes makes to learn how a container is."""
    return [probe["httpGet"] for name, probe in container.items() if name.endswith("Probe")]


def _of_kubernetes() -> Claims:
    pod = kubernetes_pod()
    return _of_pod("kubernetes", pod, pod["terminationGracePeriodSeconds"])


def _of_kserve() -> Claims:
    return _of_pod("kserve", kserve_pod(), 30)  # the default of Kubernetes


def _of_pod(platform: str, pod: Manifest, grace: float) -> Claims:
    container = container_of(pod)
    (port,) = container["ports"]
    context = pod.get("securityContext", {}) | container["securityContext"]
    return Claims(
        platform,
        container["image"],
        {variable["name"]: variable["value"] for variable in container["env"]},
        port["containerPort"],
        [probe["path"] for probe in probes_of(container)],
        (context["runAsUser"], context["runAsGroup"]),
        int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20,
        grace,
    )


def _of_compose() -> Claims:
    service = compose_service()
    (port,) = service["ports"]
    user, group = map(int, service["user"].split(":"))
    return Claims(
        "compose",
        service["image"],
        service["environment"],
        int(port.rpartition(":")[2]),
        [],  # it runs the image's own check
        (user, group),
        int(service["deploy"]["resources"]["limits"]["memory"].removesuffix("M")) * 2**20,
        float(service["stop_grace_period"].removesuffix("s")),
    )
