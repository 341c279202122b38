"""`python -m tests.benchmarks.apps.onnx_model FILE`: the network as ONNX."""

import sys

from onnx import TensorProto, checker, helper, numpy_helper, save

from tests.benchmarks.apps.network import Network


def main() -> None:
    network = Network()
    weights = {name: vars(network)[name] for name in ("W1", "b1", "W2", "b2")}
    nodes = [
        helper.make_node("Gemm", ["inputs", "W1", "b1"], ["z1"]),
        helper.make_node("Relu", ["z1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "W2", "b2"], ["z2"]),
        helper.make_node("Softmax", ["z2"], ["probabilities"], axis=-1),
    ]
    features, classes = len(network.W1), len(network.b2)
    graph = helper.make_graph(
        nodes,
        "softmax classifier",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, classes])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    save(model, sys.argv[1])


if __name__ == "__main__":
    main()
