"""How the bytes of an answer leave."""

import socket

from tests.serving import DEADLINE, Server


def test_an_answer_leaves_in_one_piece(server: Server) -> None:
    """Two small writes would cost a client with delayed acknowledgements 40 ms."""
    host, port = server.url.removeprefix("http://").split(":")
    request = f"GET /livez HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()

    with socket.create_connection((host, int(port)), DEADLINE) as connection:
        for _ in range(20):
            connection.sendall(request)
            answer = connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert f"content-length: {len(body)}".encode() in head


def test_an_answer_is_whole_before_its_connection_closes(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    request = f"GET /openapi.json HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()

    with socket.create_connection((host, int(port)), DEADLINE) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert body.endswith(b"}")
