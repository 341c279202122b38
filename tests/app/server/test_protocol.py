"""What connections share."""

from pathlib import Path

from tests.attacks.raw import LIVE, Reader, connect, post
from tests.serving import serving

DRAINING = """
import sys
from app.server.connections import Connections
from app.server.run import serve
class Draining(Connections):
    draining = property(lambda self: True, lambda self, value: None)
sys.modules["app.server.run"].Connections = Draining
sys.exit(serve({}))
"""


def test_while_draining_every_answer_is_the_last_of_its_connection(model_file: Path) -> None:
    with serving(model_file, program=DRAINING) as server:
        for request in (LIVE, post()):
            with connect(server) as connection:
                connection.sendall(request)
                (answer,) = Reader(connection).all()

            assert answer.status == 200
            assert answer.headers["connection"] == "close"
