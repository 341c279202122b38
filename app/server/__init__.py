"""uvicorn with what it lacks. Kept empty: the health check imports it every few seconds."""
