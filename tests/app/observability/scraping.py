"""A scrape, read by the parser of somebody else and held to the rules of its format."""

from collections import defaultdict
from typing import TypeAlias

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

Labels: TypeAlias = tuple[tuple[str, str], ...]
Samples: TypeAlias = dict[tuple[str, Labels], float]


def scrape(client: httpx.Client) -> Samples:
    """Every sample by its name and its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return samples_of(families_of(answer.text))


def families_of(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def samples_of(families: list[Metric]) -> Samples:
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample, or 0 where nothing was counted yet."""
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def check_histograms(samples: Samples) -> int:
    """Every bucket holds those below it, and the last one all; returns how many there are."""
    buckets: dict[tuple[str, Labels], list[tuple[float, float]]] = defaultdict(list)
    for (name, labels), count in samples.items():
        if name.endswith("_bucket"):
            others = tuple(label for label in labels if label[0] != "le")
            bound = float(dict(labels)["le"])
            buckets[name.removesuffix("_bucket"), others].append((bound, count))

    for (name, labels), found in buckets.items():
        counts = [count for _, count in sorted(found)]
        assert counts == sorted(counts), name
        assert sorted(found)[-1] == (float("inf"), samples[f"{name}_count", labels]), name
        assert (samples[f"{name}_sum", labels] > 0) == (counts[-1] > 0), name
    return len(buckets)
