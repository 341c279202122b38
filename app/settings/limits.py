"""How much one request may hold, and ask for."""

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    """Sizes of requests and answers."""

    max_body_bytes: PositiveInt = Field(
        default=8 * 2**20, description="Largest request body, in bytes."
    )
    max_rows: PositiveInt = Field(default=4096, description="Most rows in one request.")
    max_cells: PositiveInt = Field(default=4_000_000, description="Most numbers in one request.")
    max_result_numbers: PositiveInt = Field(
        default=1_000_000, description="Most numbers in one gradient."
    )
    max_check_numbers: PositiveInt = Field(
        default=250_000, description="Most numbers in a gradient check, of question and answer."
    )
