"""The manifests agree with the server, with the image and with one another."""

import json
import re
from pathlib import Path

import httpx
import pytest

from app.settings import PREFIX, Settings
from model import __version__
from tests.repository.manifests import (
    Claims,
    Manifest,
    all_claims,
    compose_service,
    container_of,
    files,
    kserve_pod,
    kubernetes_pod,
    load,
    probes_of,
)
from tests.serving import ROOT, serving

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LABELS = load("kubernetes/deployment.yaml")["spec"]["template"]["metadata"]["labels"]

every_platform = pytest.mark.parametrize("claims", all_claims(), ids=lambda claims: claims.platform)
every_pod = pytest.mark.parametrize(
    "pod", [kubernetes_pod(), kserve_pod()], ids=["kubernetes", "kserve"]
)


def settings_of(claims: Claims) -> Settings:
    """What the server makes of the variables; a name that is no setting raises."""
    named = {name.removeprefix(PREFIX).lower(): value for name, value in claims.environment.items()}
    return Settings(**named)  # type: ignore[arg-type]  # pydantic judges them


def of_the_image(pattern: str) -> str:
    found = re.findall(pattern, DOCKERFILE, re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


@every_platform
def test_every_variable_is_a_setting(claims: Claims) -> None:
    assert claims.environment
    assert all(name.startswith(PREFIX) for name in claims.environment)
    assert all(isinstance(value, str) for value in claims.environment.values())
    settings_of(claims)


@every_platform
def test_the_port_is_the_one_that_is_listened_on(claims: Claims) -> None:
    of_image = of_the_image(rf"{PREFIX}PORT=(\d+)")
    assert of_the_image(r"^EXPOSE (\d+)") == of_image

    assert claims.port == int(claims.environment.get(f"{PREFIX}PORT", of_image))
    assert f"{PREFIX}HOST" not in claims.environment  # the image's listens on all addresses


@every_platform
def test_the_paths_asked_for_health_are_answered(claims: Claims, client: httpx.Client) -> None:
    assert [client.get(path).status_code for path in claims.paths] == [200] * len(claims.paths)


@every_platform
def test_it_runs_as_the_user_of_the_image(claims: Claims) -> None:
    assert f"{claims.identity[0]}:{claims.identity[1]}" == of_the_image(r"^USER (\S+)")


@every_platform
def test_the_image_is_of_this_version_and_of_no_registry(claims: Claims) -> None:
    assert claims.image == f"softlens:{__version__}"


@every_platform
def test_memory_suffices_for_what_operating_tells(claims: Claims) -> None:
    peak = 200e6  # of one body of 8 MiB, the limit of bodies
    assert "about 200 MB at the peak" in " ".join(
        (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").split()
    )

    settings = settings_of(claims)
    others = settings.max_waiting_bytes + settings.max_unsent_bytes  # what waits, either way
    assert claims.memory >= peak + others


@every_platform
def test_requests_in_flight_are_finished_before_the_kill(claims: Claims) -> None:
    settings = settings_of(claims)

    assert settings.drain_seconds + settings.shutdown_seconds + 5 <= claims.grace


@every_pod
def test_a_pod_answers_until_nobody_sends_it_anything(pod: Manifest) -> None:
    named = {variable["name"]: variable["value"] for variable in container_of(pod)["env"]}

    assert float(named[f"{PREFIX}DRAIN_SECONDS"]) >= 5


@every_pod
def test_a_pod_keeps_the_restricted_standard(pod: Manifest) -> None:
    container = container_of(pod)
    context = pod.get("securityContext", {}) | container["securityContext"]

    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


@every_pod
def test_a_pod_asks_for_the_port_it_declares(pod: Manifest) -> None:
    container = container_of(pod)
    (port,) = container["ports"]

    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    for probe in probes_of(container):
        assert probe["port"] in {port["containerPort"], port.get("name")}


@every_pod
def test_a_busy_server_is_not_taken_for_a_dead_one(pod: Manifest) -> None:
    probe = container_of(pod)["livenessProbe"]

    silent = probe["periodSeconds"] * (probe["failureThreshold"] - 1) + probe["timeoutSeconds"]
    assert silent >= 45  # seconds


@every_pod
def test_a_pod_requests_what_one_large_request_takes(pod: Manifest) -> None:
    resources = container_of(pod)["resources"]

    assert int(resources["requests"]["memory"].removesuffix("Mi")) * 2**20 >= 200e6
    assert resources["limits"]["cpu"] == "1"  # one worker


def test_service_links_are_off_because_the_service_is_called_softlens() -> None:
    assert load("kubernetes/service.yaml")["metadata"]["name"] == "softlens"
    assert kubernetes_pod()["enableServiceLinks"] is False
    assert load("kserve/inference-service.yaml")["spec"]["predictor"]["enableServiceLinks"] is False


def test_an_update_takes_no_pod_away_before_another_is_ready() -> None:
    deployment = load("kubernetes/deployment.yaml")["spec"]

    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in deployment  # the autoscaler's
    assert load("kubernetes/autoscaler.yaml")["spec"]["minReplicas"] >= 2


def test_everything_selects_the_pods_of_the_deployment() -> None:
    deployment = load("kubernetes/deployment.yaml")
    spec = deployment["spec"]
    selectors = [
        spec["selector"]["matchLabels"],
        spec["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
        load("kubernetes/service.yaml")["spec"]["selector"],
        load("kubernetes/disruption-budget.yaml")["spec"]["selector"]["matchLabels"],
        load("kubernetes/network-policy.yaml")["spec"]["podSelector"]["matchLabels"],
    ]

    assert selectors == [LABELS] * len(selectors)
    target = load("kubernetes/autoscaler.yaml")["spec"]["scaleTargetRef"]
    assert target == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }


def test_the_service_and_the_policy_lead_to_the_port_of_the_container() -> None:
    (port,) = container_of(kubernetes_pod())["ports"]

    (served,) = load("kubernetes/service.yaml")["spec"]["ports"]
    (rule,) = load("kubernetes/network-policy.yaml")["spec"]["ingress"]
    assert served["targetPort"] == port["name"]
    assert [allowed["port"] for allowed in rule["ports"]] == [port["containerPort"]]


def test_models_are_mounted_where_they_are_looked_for() -> None:
    kubernetes, kserve, compose = all_claims()
    (mount,) = container_of(kubernetes_pod())["volumeMounts"]
    (bind,) = compose_service()["volumes"]

    variable = f"{PREFIX}MODELS"
    assert mount == {
        "name": "models",
        "mountPath": kubernetes.environment[variable],
        "readOnly": True,
    }
    assert bind["target"] == compose.environment[variable]
    assert bind["read_only"] is True
    assert kserve.environment[variable] == "/mnt/models"  # where KServe puts them


def test_kserve_finds_the_runtime_of_the_service() -> None:
    runtime = load("kserve/serving-runtime.yaml")
    model = load("kserve/inference-service.yaml")["spec"]["predictor"]["model"]

    formats = runtime["spec"]["supportedModelFormats"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["modelFormat"] in [
        {"name": known["name"], "version": known["version"]} for known in formats
    ]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    assert container_of(runtime["spec"])["name"] == "kserve-container"  # the name that KServe asks


def test_the_knative_of_kserve_is_asked_for_nothing_it_refuses() -> None:
    predictor = load("kserve/inference-service.yaml")["spec"]["predictor"]

    assert not {"terminationGracePeriodSeconds", "securityContext"} & predictor.keys()
    assert "lifecycle" not in container_of(kserve_pod())


def test_compose_runs_it_hardened_with_the_check_of_the_image() -> None:
    service = compose_service()
    check = service["healthcheck"]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert check["test"] == ["CMD", *json.loads(of_the_image(r"^  CMD (\[.*\])$"))]
    assert of_the_image(r"^HEALTHCHECK (.*) \\$") == (
        f"--interval={check['interval']} --timeout={check['timeout']}"
        f" --start-period={check['start_period']}"
    )


@pytest.mark.parametrize("name", files())
def test_no_manifest_asks_for_whatever_is_newest(name: str) -> None:
    assert "latest" not in json.dumps(load(name))


def test_a_mounted_config_map_is_a_folder_of_models(model_file: Path, tmp_path: Path) -> None:
    """Kubernetes mounts it as links into a hidden folder that it can replace at once."""
    hidden = tmp_path / "..2026_01_01_00_00_00.123456789"
    hidden.mkdir()
    (hidden / "digits.npz").write_bytes(model_file.read_bytes())
    (tmp_path / "..data").symlink_to(hidden.name)
    (tmp_path / "digits.npz").symlink_to("..data/digits.npz")

    with serving(tmp_path) as server, server.client() as client:
        models = client.get("/models").json()["models"]

    assert [model["name"] for model in models] == ["digits"]


def test_a_limit_on_processes_has_room_for_every_thread() -> None:
    limit = int(compose_service()["deploy"]["resources"]["limits"]["pids"])
    named = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    pool, loop, watch, lines, health_check = 40, 1, 1, 1, 1  # the pool is anyio's

    assert limit >= pool + loop + watch + lines + health_check + Settings().work_threads
    assert f"--pids-limit {limit} " in named
