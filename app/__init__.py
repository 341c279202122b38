"""The faces of the model: HTTP, terminal, page."""
