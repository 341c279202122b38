"""The verdict on a gradient: is it right, and if not, which mistake was made and where."""
