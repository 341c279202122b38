"""The manifests for KServe, against the classes generated from KServe's own API.

Skipped where the package is absent; pyproject.toml says how to run it, beside the extra `kserve`.
"""

import re
from typing import Any

import pytest

from tests.repository.manifests import Manifest, changed, load

kserve = pytest.importorskip(
    "kserve.models", reason="the kinds of KServe, of the extra `kserve`, are not installed"
)
kubernetes = pytest.importorskip("kubernetes.client", reason="it comes with the extra `kserve`")

SCALARS = {"str": str, "bool": bool, "int": int, "float": (int, float), "object": object}
RUNTIME, SERVICE = "kserve/serving-runtime.yaml", "kserve/inference-service.yaml"
MODEL = "spec.predictor.model"


def judge(manifest: Manifest) -> None:
    """Raise unless every field is one that KServe knows, of its type, and none is missing."""
    group, _, version = manifest["apiVersion"].partition("/")
    name = f"V{version[1:]}{manifest['kind']}"
    if group != "serving.kserve.io" or not hasattr(kserve, name):
        raise LookupError(f"{manifest['apiVersion']} {manifest['kind']}")
    build(manifest, name, manifest["kind"])


def build(value: Any, kind: str, place: str) -> Any:  # Any: YAML, and their classes
    """An instance of `kind`, by the types its class carries; it raises for what is missing."""
    inside = re.fullmatch(r"(?i:list)\[(.+)\]|(?i:dict)[(\[]str, (.+)[)\]]", kind)
    if inside and inside[1]:
        expect(value, list, place)
        return [build(item, inside[1], f"{place}[{i}]") for i, item in enumerate(value)]
    if inside:
        expect(value, dict, place)
        return {key: build(item, inside[2], f"{place}.{key}") for key, item in value.items()}
    if kind in SCALARS:
        expect(value, SCALARS[kind], place)
        return value

    known = getattr(kserve, kind, None) or getattr(kubernetes, kind)
    expect(value, dict, place)
    names = {shown: name for name, shown in known.attribute_map.items()}
    for field in value:
        if field not in names:
            raise TypeError(f"{place}.{field} is no field of {kind}")
    return known(
        **{
            names[field]: build(item, known.openapi_types[names[field]], f"{place}.{field}")
            for field, item in value.items()
        }
    )


def expect(value: object, kind: Any, place: str) -> None:  # Any: what isinstance takes
    """Raise unless the value is of that type; a bool is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind not in (bool, object)):
        raise TypeError(f"{place}: {value!r} is no {kind}")


@pytest.mark.parametrize("name", [RUNTIME, SERVICE])
def test_kserve_takes_it(name: str) -> None:
    judge(load(name))


@pytest.mark.parametrize(
    ("name", "path", "value", "complaint"),
    [
        (RUNTIME, "spec.supportedModelFormat", [], "no field"),
        (RUNTIME, "spec.protocolVersions", "v2", "no <class 'list'>"),
        (RUNTIME, "spec.multiModel", "no", "no <class 'bool'>"),
        (RUNTIME, "spec.containers.0.readinessProbe.httpGet.pth", "/readyz", "no field"),
        (RUNTIME, "spec.containers.0.env.0.value", 8080, "no <class 'str'>"),
        (RUNTIME, "spec.containers", None, "no <class 'list'>"),
        (RUNTIME, "spec.containers.0", {"image": "softlens"}, r"\bname\b"),
        (SERVICE, "spec.predictor.minReplica", 2, "no field"),
        (SERVICE, f"{MODEL}.storageURI", "pvc://softlens-models", "no field"),
        (SERVICE, f"{MODEL}.modelFormat", "softlens", "no <class 'dict'>"),
    ],
)
def test_a_slip_is_no_manifest_of_kserve(
    name: str, path: str, value: object, complaint: str
) -> None:
    manifest = changed(load(name), path, value)

    with pytest.raises((TypeError, ValueError), match=complaint):
        judge(manifest)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (RUNTIME, "serving.kserve.io/v1beta1"),
        (RUNTIME, "serving.kubeflow.org/v1alpha1"),
        (SERVICE, "serving.kserve.io/v1"),
    ],
)
def test_another_api_version_is_no_manifest_of_kserve(name: str, version: str) -> None:
    with pytest.raises(LookupError):
        judge(changed(load(name), "apiVersion", version))
