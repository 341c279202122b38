"""Every manifest is what its platform takes, and a slip in one is noticed.

Kubernetes is judged by its own schemas, in which a field they do not know is an error; Compose by
the schema of the Compose specification; the kinds of KServe in test_manifests_kserve.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest

from tests.repository.manifests import (
    DEPLOY,
    Manifest,
    changed,
    container_of,
    files,
    kserve_pod,
    load,
)
from tests.serving import DEADLINE, ROOT

KUBERNETES = [
    name for name in files() if name.startswith("kubernetes/") and not name.endswith("-patch.yaml")
]
VERSIONS = [
    "1.30",
    kubernetes_validate.latest_version(),
]  # the oldest that docs/deploying.md allows
POD = "spec.template.spec"


def judge(manifest: Manifest, version: str = VERSIONS[-1]) -> None:
    """Raise what a strict API server of this version of Kubernetes would answer."""
    kubernetes_validate.validate(manifest, version, strict=True)


def judge_compose(path: Path) -> str:
    """What is wrong with a Compose file; nothing if nothing is."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0 or "Schema validation errors" in done.stdout, done.stderr
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_takes_it(name: str, version: str) -> None:
    judge(load(name), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_the_container_of_kserve(version: str) -> None:
    runtime = container_of(kserve_pod())

    judge(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "any"},
            "spec": {"containers": [runtime]},
        },
        version,
    )


def test_kubernetes_takes_models_from_the_claim() -> None:
    (patch,) = load("kubernetes/claim/deployment-patch.yaml")["spec"]["template"]["spec"]["volumes"]
    deployment = load("kubernetes/deployment.yaml")
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]

    # A strategic merge: volumes meet by name, and null takes a field away.
    merged = {key: value for key, value in (volume | patch).items() if value is not None}
    judge(changed(deployment, f"{POD}.volumes", [merged]))

    claim = load("kubernetes/claim/claim.yaml")["metadata"]["name"]
    assert patch["name"] == volume["name"]
    assert merged.keys() == {"name", "persistentVolumeClaim"}
    assert merged["persistentVolumeClaim"]["claimName"] == claim


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("deployment", f"{POD}.containers.0.readinesProbe", {"httpGet": {"port": 8000}}),
        ("deployment", f"{POD}.containers.0.livenessProbe.httpGet.pth", "/livez"),
        ("deployment", f"{POD}.securityContext.runAsNonroot", True),
        ("deployment", f"{POD}.terminationGracePeriodSeconds", "40s"),
        ("deployment", f"{POD}.containers.0.securityContext.capabilities.drop", "ALL"),
        ("deployment", f"{POD}.containers.0.env.1.value", 30),
        ("service", "spec.ports.0.targetport", "http"),
        ("service", "spec.ports.0.port", "http"),
        ("autoscaler", "spec.metrics.0.resource.target.averageUtilization", "80%"),
        ("autoscaler", "apiVersion", "autoscaling/v1"),
        ("disruption-budget", "spec.maxUnavailabel", 1),
        ("network-policy", "spec.ingres", []),
        ("network-policy", "spec.policyTypes", "Ingress"),
        ("claim/claim", "spec.accessMode", ["ReadWriteMany"]),
    ],
)
def test_a_slip_is_no_manifest_of_kubernetes(name: str, path: str, value: object) -> None:
    manifest = changed(load(f"kubernetes/{name}.yaml"), path, value)

    with pytest.raises(kubernetes_validate.ValidationError):
        judge(manifest)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("deployment", "extensions/v1beta1"),
        ("autoscaler", "autoscaling/v2beta2"),
        ("disruption-budget", "policy/v1beta1"),
        ("network-policy", "networking/v2"),
        ("service", "apps/v1"),
    ],
)
def test_another_api_version_is_no_manifest_of_kubernetes(name: str, version: str) -> None:
    manifest = changed(load(f"kubernetes/{name}.yaml"), "apiVersion", version)

    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        judge(manifest)


def test_compose_takes_it() -> None:
    assert judge_compose(DEPLOY / "compose" / "compose.yaml") == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.server.readonly", True),
        ("services.server.cap_drop", "ALL"),
        ("services.server.healthcheck.retrys", 3),
        ("services.server.deploy.resources.limits.cpu", "1"),
    ],
)
def test_a_slip_is_no_compose_file(path: str, value: object, tmp_path: Path) -> None:
    slipped = tmp_path / "compose.json"
    slipped.write_text(json.dumps(changed(load("compose/compose.yaml"), path, value)))

    assert judge_compose(slipped) != ""


@pytest.mark.parametrize("name", files())
def test_every_manifest_is_told_of(name: str) -> None:
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")

    assert Path(name).name in page
    assert f"docs/deploy/{Path(name).parent}" in page
