"""Data to train on and predict from: the digits we ship, tables, NumPy archives and IDX files."""

from model.data.dataset import Dataset
from model.data.digits import load_digits
from model.data.formats import read_dataset, read_features

__all__ = ["Dataset", "load_digits", "read_dataset", "read_features"]
