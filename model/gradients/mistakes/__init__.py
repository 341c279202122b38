"""The catalogue: every mistake that leaves its trace in the numbers, in words and as a formula."""
