"""The tables of docs/verdicts.md."""

from collections import Counter
from collections.abc import Iterator

from tests.benchmarks.markdown import paragraphs, table, verdicts
from tests.verdicts.bars import NAMED, incomplete, requirements, share, unsound
from tests.verdicts.entries import ENTRIES
from tests.verdicts.running import Ran
from tests.verdicts.shown import OWN, SHOWN
from tests.verdicts.trials import ROUNDINGS, Trial

_LETTERS = {"jacobian": "J", "loss": "L", "network": "N"}


def sections(ran: Ran, where: str, minutes: float) -> dict[str, str]:
    """By the names of the comments that they stand between."""
    return {
        "run": _run(ran, where, minutes),
        "mistakes": _mistakes(ran.trials),
        "pairs": _pairs(ran),
        "entries": entries(),
    }


def entries() -> str:
    """All of them; nothing is measured here."""
    rows = [(str(n), e.what, e.levels, e.found) for n, e in enumerate(ENTRIES, start=1)]
    return table(("", "what goes wrong", "levels", "found as"), rows).replace("---:", "---")


def misses(ran: Ran) -> Iterator[str]:
    """What is to be looked into, one a line."""
    for trial in ran.trials:
        if not trial.named:
            yield f"not named: {trial}"
    for trial in unsound(ran.trials):
        yield f"class too large: {trial}"
    for trial in incomplete(ran.trials):
        yield f"class too small: {trial}"
    for other in (*ran.blind, *ran.alarms):
        yield str(other)
    for pair in ran.pairs:
        if not pair.named:
            yield f"not both named: {pair}"


def _run(ran: Ran, where: str, minutes: float) -> str:
    size = ran.size
    counts = (
        f"{len(ran.trials):,} answers with one mistake ({size.probes} probes a mistake and level), "
        f"{3 * ran.rights:,} right ones ({ran.rights:,} at three precisions), "
        f"{len(ran.pairs):,} with two mistakes ({size.pairs} probes). "
        f"Took {minutes:.1f} minutes."
    )
    return paragraphs(where, counts, verdicts(requirements(ran)))


def _mistakes(trials: list[Trial]) -> str:
    by_slug: dict[str, list[Trial]] = {}
    for trial in trials:
        by_slug.setdefault(trial.slug, []).append(trial)
    header = ("mistake", "levels", *ROUNDINGS, "alone", "class of one", "mostly alike")
    return table(header, [_row(slug, found) for slug, found in by_slug.items()])


def _row(slug: str, trials: list[Trial]) -> tuple[str, ...]:
    exact = [trial for trial in trials if trial.rounding == "float64"]
    alike = Counter(other for trial in exact for other in set(trial.found) - {slug})
    return (
        f"`{slug}`",
        " ".join(_level(level, slug) for level, slugs in SHOWN.items() if slug in slugs),
        *(str(share(t.named for t in trials if t.rounding == rounding)) for rounding in NAMED),
        str(share(trial.alone for trial in trials)),
        str(share(trial.found == (slug,) for trial in exact)),
        ", ".join(f"`{other}`" for other, _ in alike.most_common(3)),
    )


def _level(level: str, slug: str) -> str:
    return _LETTERS[level] + ("\\*" if (level, slug) in OWN else "")


def _pairs(ran: Ran) -> str:
    by_pair: dict[tuple[str, str], list[bool]] = {}
    for pair in ran.pairs:
        by_pair.setdefault((pair.delta3, pair.slope), []).append(pair.named)
    missed = [(pair, share(named)) for pair, named in by_pair.items() if not all(named)]
    summary = (
        f"{len(by_pair):,} pairs. Both named in {share(pair.named for pair in ran.pairs)} of "
        f"{len(ran.pairs):,} answers; both and nothing else in "
        f"{share(pair.alone for pair in ran.pairs)}."
    )
    rows = [(f"`{one}`, `{other}`", str(named), f"{named.of:,}") for (one, other), named in missed]
    return paragraphs(summary, table(("pair", "both named", "answers"), rows)) if rows else summary
