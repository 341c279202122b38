"""Data to train on and predict from: the digits we ship, tables, NumPy archives and IDX files."""

from model.data.dataset import Dataset, Features, constant_columns
from model.data.digits import load_digits
from model.data.formats import is_table, read_dataset, read_features, read_labels

__all__ = [
    "Dataset",
    "Features",
    "constant_columns",
    "is_table",
    "load_digits",
    "read_dataset",
    "read_features",
    "read_labels",
]
