"""`python -m model.training.digits FILE.npz`: train the shipped digits and nothing else.

The image is built with this, where the terminal's libraries are not installed.
"""

import sys
from pathlib import Path

from model.artifact import save_artifact
from model.data import load_digits
from model.training.fitting import fit
from model.training.plan import Plan

if __name__ == "__main__":
    # Without a clock, so that the same sources give the same image.
    result = fit(load_digits(), Plan(), name="digits", clock=lambda: 0.0)
    save_artifact(Path(sys.argv[1]), result.artifact)
