"""What the catalogue holds, entry by entry: at which level each shows, or why a probe cannot."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One thing that goes wrong, as people tell it."""

    what: str
    levels: str  # J, L and N; a star where a probe hides it and a problem of one's own shows it
    found: str  # the slugs that answer to it, or why there is none


# In the order of the derivation: Jacobian, loss and delta3, hidden layer and parameters.
ENTRIES = (
    Entry("the Jacobian as a diagonal matrix", "J", "`jacobian-diagonal-only`"),
    Entry("`p * (1 - p)` as *the* derivative", "J", "`jacobian-as-vector`"),
    Entry(
        "a loop over i and j that writes into a vector", "J",
        "`overwritten-loop`, `overwritten-loop-of-probabilities`",
    ),
    Entry("that loop with a matrix: logits for probabilities", "J", "`logits-in-outer-product`"),
    Entry("`z * (1 - z)`", "J", "`derivative-of-logits`"),
    Entry("the Jacobian with the opposite sign", "J", "`jacobian-negated`"),
    Entry(
        "one of its two terms missing", "J",
        "`jacobian-without-diagonal`, `jacobian-without-outer-product`",
    ),
    Entry("the outer product added", "J", "`outer-product-added`"),
    Entry("the Jacobian of log-softmax", "J", "`log-softmax-jacobian`"),
    Entry(
        "a gradient multiplied by `p * (1 - p)` instead of by the Jacobian", "L N",
        "`true-class-only` (the gradient of the loss by p), `squared-error-diagonal`: the "
        "probes ask for no product with a vector of its own",
    ),
    Entry(
        "the Jacobian transposed", "none",
        "cannot be seen, since it is symmetric: `transposed` is a blind spot of every probe",
    ),
    Entry(
        "temperature missing, twice, or on the wrong side", "J\\* L\\* N",
        "`temperature-not-divided`, `temperature-divided-twice`, `temperature-ignored`, "
        "`temperature-multiplied`; probes of J and L have T = 1",
    ),
    Entry("`y - a2`", "L N", "`delta3-negated`, `negative-gradient`"),
    Entry("1/N missing", "L N", "`sum-instead-of-mean`"),
    Entry(
        "1/N twice, 1/(N C), or another factor", "L N",
        "`mean-taken-twice`, `mean-over-classes`, `classes-multiplied`, `doubled`, `halved`",
    ),
    Entry("softmax of probabilities", "J L N", "`double-softmax`"),
    Entry(
        "softmax twice, both differentiated", "J L N",
        "`double-softmax-backpropagated`; at J `double-softmax`",
    ),
    Entry(
        "softmax over the batch, or over everything", "J L N",
        "`softmax-over-batch`, `softmax-over-everything`",
    ),
    Entry("`a2 * (1 - a2)` once more", "L N", "`extra-softmax-derivative`"),
    Entry("stops at `-y / a2`", "L N", "`stops-at-probabilities`"),
    Entry("only the column of the label", "L N", "`true-class-only`"),
    Entry("only the other columns", "L N", "`wrong-classes-only`"),
    Entry("squared error", "L N", "`squared-error`, `squared-error-diagonal`"),
    Entry(
        "binary cross-entropy for each class", "L N",
        "`one-vs-rest`; followed by a diagonal softmax derivative it is right, and is called so",
    ),
    Entry("logits for probabilities", "L N", "`logits-for-probabilities`"),
    Entry("labels off by one", "L N", "`labels-shifted`"),
    Entry(
        "class indices where one-hot rows belong", "L N",
        "`labels-not-one-hot`, `labels-forgotten`; as a row it broadcasts only where N = C, "
        "which no probe has",
    ),
    Entry("smoothed labels", "L N", "`labels-smoothed`, with the smoothing fitted"),
    Entry(
        "a clipped logarithm in the loss", "none",
        "a mistake of the loss, not of the gradient: probes ask for no loss, and what they are "
        "judged by never takes the logarithm of a probability",
    ),
    Entry(
        "exp without the maximum taken off, or with that of the batch", "J\\* L\\* N\\*",
        "`exp-overflow`, `shift-over-batch`, on logits in the thousands; at any, `not-finite`",
    ),
    Entry(
        "weights of rows or classes", "L N",
        "`rows-weighted`, when they are in the gradient; the loss of a probe has none, so weights "
        "forgotten in the gradient cannot be seen",
    ),
    Entry("the derivative of the activation omitted", "N", "`slope-omitted`"),
    Entry(
        "f' at a1 instead of z1", "N", "`slope-at-activation`; for relu both are the same",
    ),
    Entry(
        "the derivative of sigmoid, or of something else", "N",
        "`slope-of-sigmoid`, `slope-of-other-activation`, `slope-unsquared`, "
        "`slope-of-pre-activation`, `activation-for-slope`",
    ),
    Entry("`a1 >= 0` for relu", "N", "`mask-closed`"),
    Entry("relu's mask inverted or leaky", "N", "`slope-inverted`, `mask-leaky`"),
    Entry(
        "W2 not transposed, or updated too early", "N\\* N",
        "`weights-not-transposed` where H = C, `weights-updated-first`",
    ),
    Entry(
        "dW2 from z1 or from the inputs", "N N\\*",
        "`pre-activation-for-activation`; `inputs-for-activation` where D = H",
    ),
    Entry("biases not summed", "N", "`bias-of-one-row`, `bias-not-summed`"),
    Entry(
        "biases averaged, or summed over the wrong axis", "N",
        "`bias-averaged`, `bias-over-wrong-axis`",
    ),
    Entry(
        "weight decay of another size, or on biases", "N",
        "`decay-missing`, `decay-doubled`, `decay-halved`, `decay-averaged`, `decay-negated`, "
        "`decay-on-biases`",
    ),
    Entry("an update for a gradient", "L N", "`learning-rate-folded-in`, `adam-step`"),
    Entry(
        "gradients not set to 0", "L N",
        "`accumulated`, over passes of the probe; what other batches left behind is unknown here",
    ),
    Entry(
        "dropout missing in the way back", "none",
        "probes have no dropout; dropout left on during a check looks random, and is localised to "
        "the hidden layer without a name",
    ),
    Entry(
        "another layout", "J L N",
        "`transposed`, `flattened`, `fortran-order`, `tensors-swapped`: right numbers elsewhere",
    ),
    Entry(
        "few digits, float32, float16, integers", "J L N",
        "`integer-dtype`; a precision is no mistake, but is inferred and judged by what it allows",
    ),
    Entry(
        "argmax, rounding or a stopped gradient", "N",
        "`gradient-stopped` before the hidden layer; zeros elsewhere are localised without a name",
    ),
)  # fmt: skip
