"""Data to train on and predict from: the digits we ship, tables, NumPy archives and IDX files."""

from model.data.dataset import Dataset, Features, constant_columns
from model.data.digits import load_digits
from model.data.formats import is_table, read_dataset, read_features, read_labels
from model.data.streams import extremes, is_mapped, let_go, runs

__all__ = [
    "Dataset",
    "Features",
    "constant_columns",
    "extremes",
    "is_mapped",
    "is_table",
    "let_go",
    "load_digits",
    "read_dataset",
    "read_features",
    "read_labels",
    "runs",
]
