from pathlib import Path

from tests.benchmarks.growth_training import trained


def test_a_large_file_is_not_taken_into_memory(tmp_path: Path) -> None:
    growth = trained(tmp_path / "rows.npz", rows=2_000_000)

    assert growth.file_mib > 228
    assert growth.mapped
    # Some 60 are Python and NumPy, 32 the rows that are held, 4 labels and marks.
    assert growth.resident_mib < 160
