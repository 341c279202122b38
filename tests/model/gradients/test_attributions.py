import numpy as np
import pytest

from model import ACTIVATIONS, Floats, Parameters, forward
from model.gradients import METHODS, Method, Network, Path, attribute

TARGET = np.array([1, 4, 0])


@pytest.fixture(params=["relu", "tanh"])
def network(
    request: pytest.FixtureRequest, parameters: Parameters, rng: np.random.Generator
) -> Network:
    return Network(parameters, ACTIVATIONS[request.param], rng.normal(size=4))


@pytest.fixture(params=["logits", "probabilities"])
def path(request: pytest.FixtureRequest, rng: np.random.Generator) -> Path:
    return Path(rng.normal(size=(3, 4)), rng.normal(size=4), request.param, TARGET)


def value(network: Network, path: Path, x: Floats) -> Floats:
    trace = forward(network.parameters, x - network.centre, network.activation)
    node = trace.z2 if path.of == "logits" else trace.a2
    return node[np.arange(len(x)), TARGET]


def slope(network: Network, path: Path, x: Floats) -> Floats:
    """Central differences; right to about 1e-9 away from kinks."""
    found = np.empty(x.shape)
    for j in range(x.shape[1]):
        step = 1e-6 * np.eye(x.shape[1])[j]
        rise = value(network, path, x + step) - value(network, path, x - step)
        found[:, j] = rise / 2e-6
    return found


def test_saliency_is_the_size_of_the_slope(network: Network, path: Path) -> None:
    found = attribute(network, path, "saliency").values

    np.testing.assert_allclose(found, np.abs(slope(network, path, path.inputs)), atol=1e-8)


def test_gradient_x_input_is_the_slope_times_the_input(network: Network, path: Path) -> None:
    found = attribute(network, path, "gradient-x-input").values

    np.testing.assert_allclose(found, slope(network, path, path.inputs) * path.inputs, atol=1e-8)


def test_integrated_gradients_are_the_integral_of_the_slope(network: Network, path: Path) -> None:
    found = attribute(network, path._replace(steps=400), "integrated-gradients").values

    # Midpoints on the line, each slope measured; at a kink of relu either rule is off by about
    # the jump of the slope over the number of steps.
    line = (np.arange(2000) + 0.5) / 2000
    whole = path.inputs - path.baseline
    mean = np.mean([slope(network, path, path.baseline + t * whole) for t in line], axis=0)
    np.testing.assert_allclose(found, whole * mean, atol=1e-2)


def test_smooth_integrated_gradients_are_complete(parameters: Parameters, path: Path) -> None:
    """The sum is what there was to explain; Gauss-Legendre is exact for smooth functions."""
    network = Network(parameters, ACTIVATIONS["tanh"], np.zeros(4))

    found = attribute(network, path, "integrated-gradients")

    assert np.abs(found.completeness_gap).max() < 1e-10


def test_the_gap_closes_with_more_steps_for_relu_too(parameters: Parameters, path: Path) -> None:
    network = Network(parameters, ACTIVATIONS["relu"], np.zeros(4))

    gaps = [
        np.abs(
            attribute(network, path._replace(steps=steps), "integrated-gradients").completeness_gap
        ).max()
        for steps in (5, 500)
    ]

    assert gaps[1] < gaps[0] / 5


@pytest.mark.parametrize("method", METHODS)
def test_the_gap_is_what_the_sum_lacks(network: Network, path: Path, method: str) -> None:
    found = attribute(network, path, method)  # type: ignore[arg-type]  # a parameter of the test

    whole = np.broadcast_to(path.baseline, path.inputs.shape)
    risen = value(network, path, path.inputs) - value(network, path, whole)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.completeness_gap, risen, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_float32_network_has_float32_attributions(
    network: Network, path: Path, method: Method
) -> None:
    single = Network(
        Parameters(*(array.astype(np.float32) for array in network.parameters)),
        network.activation,
        network.centre.astype(np.float32),
    )
    short = path._replace(
        inputs=path.inputs.astype(np.float32), baseline=path.baseline.astype(np.float32)
    )

    found, exact = attribute(single, short, method), attribute(network, path, method)

    assert found.values.dtype == np.float32
    # A few dozen roundings of 6e-8; no row here has a relu whose z1 is 0 to rounding.
    assert np.abs(found.values - exact.values).max() <= 1e-5 * np.abs(exact.values).max()


def test_rows_are_attributed_alike_however_many_there_are(network: Network, path: Path) -> None:
    """They are taken some at a time: 3,000 steps of 7 hidden units leave room for two rows."""
    many = path._replace(steps=3000)

    together = attribute(network, many, "integrated-gradients").values
    alone = [
        attribute(
            network,
            many._replace(inputs=many.inputs[n : n + 1], target=many.target[n : n + 1]),
            "integrated-gradients",
        ).values[0]
        for n in range(3)
    ]

    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)
