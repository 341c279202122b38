"""Every derivative there is: all pairs of what moves and what moves it."""

from model import Parameters
from model.gradients import NODES

PAIRS = [
    (of, wrt)
    for of in NODES
    for wrt in (*NODES[: NODES.index(of)], *Parameters._fields)
    if not (of == "inputs" or (of in {"z1", "a1"} and wrt in {"W2", "b2"}))
]
