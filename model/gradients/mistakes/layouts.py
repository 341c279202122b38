"""Right numbers in the wrong places or of the wrong kind; and numbers that are none."""

from model.gradients.mistakes.mistake import Mistake

TRANSPOSED = Mistake(
    "transposed",
    "the axes are in another order; right if your layers are W x instead of x W",
    "g = (x.T @ delta).T",
    "g = x.T @ delta",
    "the shape is that of the transpose",
    convention=True,
)
FLATTENED = Mistake(
    "flattened",
    "the numbers are right but laid out in one row; right if your parameters are one flat vector",
    "g = (x.T @ delta).ravel()",
    "g = x.T @ delta",
    "one axis instead of two",
    convention=True,
)
FORTRAN_ORDER = Mistake(
    "fortran-order",
    "the numbers were written column by column and read row by row",
    "g = g.ravel(order='F').reshape(g.shape)",
    "g = g.ravel().reshape(g.shape)",
    "the first entry is right and most others are elsewhere",
)
SWAPPED = Mistake(
    "tensors-swapped",
    "the gradients of two parameters are exchanged",
    "dW2, dW1 = gradients",
    "dW1, dW2 = gradients",
    "each has the shape or the numbers of another",
)
INTEGER_DTYPE = Mistake(
    "integer-dtype",
    "the gradient was stored in an array of integers, which cuts off everything after the point",
    "dW = np.zeros(W.shape, dtype=int)",
    "dW = np.zeros(W.shape)",
    "all entries are whole numbers, most of them 0",
)
OVERFLOW = Mistake(
    "exp-overflow",
    "exp of a large logit is infinite, and infinity over infinity is not a number: the largest "
    "logit of each row must be subtracted first",
    "a2 = exp(z2) / exp(z2).sum(axis=1, keepdims=True)",
    "e = exp(z2 - z2.max(axis=1, keepdims=True)); a2 = e / e.sum(axis=1, keepdims=True)",
    "nan in the rows with a logit above 709 (88 in float32)",
)
SHIFT_OVER_BATCH = Mistake(
    "shift-over-batch",
    "the largest logit of the whole batch is subtracted, so rows far below it become 0 / 0",
    "e = exp(z2 - z2.max())",
    "e = exp(z2 - z2.max(axis=1, keepdims=True))",
    "nan in the rows whose logits all lie far below another row's",
)
NOT_FINITE = Mistake(
    "not-finite",
    "some numbers are infinite or not numbers at all",
    "nan, inf or null",
    "a finite number in every entry",
    "np.isfinite(g).all() is false",
)
