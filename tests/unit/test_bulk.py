"""Faults that a real Elasticsearch does not show on demand, from a server of our own."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from include.errors import PartUnavailableError
from include.local.ports import find_free
from include.serving.bulk import BulkWriter, Document

Answer = Callable[[list[str]], tuple[int, str]]

DOCUMENTS = [Document(f'{{"index":{{"_id":"{number}"}}}}', f'{{"value":{number}}}') for number in (1, 2, 3)]


def items(*statuses: int) -> str:
    rows: list[dict[str, Any]] = [
        {"status": status} | ({"error": {"type": f"error_{status}", "reason": "because"}} if status >= 300 else {})
        for status in statuses
    ]
    return json.dumps({"errors": max(statuses) >= 300, "items": [{"index": row} for row in rows]})


class Server:
    """Answers one scripted answer after the other, the last one for ever, and keeps what it was sent."""

    def __init__(self, port: int = 0) -> None:
        self.script: list[Answer] = []
        self.requests: list[list[str]] = []
        self.paths: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                lines = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
                answer = server.script[min(len(server.requests), len(server.script) - 1)]
                server.requests.append(lines)
                server.paths.append(self.path)
                status, text = answer(lines)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def writer(server: Server) -> Iterator[BulkWriter]:
    made = BulkWriter(server.url, give_up_seconds=5)
    yield made
    made.close()


def test_documents_arrive_as_action_and_source_lines(server: Server, writer: BulkWriter) -> None:
    server.script = [lambda _: (200, items(201, 201, 201))]

    assert writer.send("metrics-speed-000001", DOCUMENTS).written == 3
    assert server.requests == [[line for document in DOCUMENTS for line in document]]


@pytest.mark.parametrize(("at_once", "expected"), [(True, "refresh=true"), (False, "refresh=false")])
def test_searches_find_documents_when_the_writer_says_so(server: Server, at_once: bool, expected: str) -> None:
    server.script = [lambda _: (200, items(201, 201, 201))]
    writer = BulkWriter(server.url, at_once=at_once)
    writer.send("metrics", DOCUMENTS)
    writer.close()

    assert expected in server.paths[0]


def test_nothing_to_send_is_no_request(server: Server, writer: BulkWriter) -> None:
    assert writer.send("metrics-speed-000001", []).written == 0
    assert server.requests == []


def test_a_busy_server_is_asked_again_with_the_same(server: Server, writer: BulkWriter) -> None:
    server.script = [lambda _: (429, "busy"), lambda _: (503, "no master"), lambda _: (200, items(201, 201, 201))]

    assert writer.send("i", DOCUMENTS).written == 3
    assert server.requests[0] == server.requests[1] == server.requests[2]


def test_only_the_documents_that_met_a_full_queue_are_sent_again(server: Server, writer: BulkWriter) -> None:
    server.script = [lambda _: (200, items(201, 429, 201)), lambda _: (200, items(201))]

    assert writer.send("i", DOCUMENTS).written == 3
    assert server.requests[1] == list(DOCUMENTS[1])


def test_a_document_refused_for_itself_comes_back_and_the_others_are_written(
    server: Server, writer: BulkWriter
) -> None:
    server.script = [lambda _: (200, items(201, 400, 201))]

    result = writer.send("i", DOCUMENTS)

    assert result.written == 2
    [refusal] = result.refused
    assert (refusal.document, refusal.status, refusal.reason) == (DOCUMENTS[1], 400, "error_400: because")


def test_a_newer_version_in_place_is_as_good_as_written(server: Server, writer: BulkWriter) -> None:
    server.script = [lambda _: (200, items(200, 409, 201))]

    result = writer.send("i", DOCUMENTS)

    assert (result.written, result.superseded, result.refused) == (2, 1, ())


@pytest.mark.parametrize(
    ("status", "text"), [(200, items(201, 404, 201)), (401, "who are you"), (200, items(201, 201))]
)
def test_what_only_a_person_can_mend_is_raised_at_once(
    server: Server, writer: BulkWriter, status: int, text: str
) -> None:
    server.script = [lambda _: (status, text)]

    with pytest.raises(PartUnavailableError):
        writer.send("i", DOCUMENTS)
    assert len(server.requests) == 1


def test_waiting_is_bounded_and_says_why(server: Server) -> None:
    server.script = [lambda _: (429, "busy")]
    told: list[str] = []
    impatient = BulkWriter(server.url, give_up_seconds=0.5, on_wait=lambda reason, _: told.append(reason))

    with pytest.raises(PartUnavailableError, match="answers 429: busy, for"):
        impatient.send("i", DOCUMENTS)
    impatient.close()
    assert set(told) == {"answers 429: busy"}


def test_a_server_that_is_away_is_waited_for() -> None:
    running = Server()
    running.stop()
    told = threading.Event()
    patient = BulkWriter(running.url, give_up_seconds=30, on_wait=lambda *_: told.set())
    results: list[int] = []
    sender = threading.Thread(target=lambda: results.append(patient.send("i", DOCUMENTS).written))
    sender.start()
    assert told.wait(10)

    back = Server(running.port)
    back.script = [lambda _: (200, items(201, 201, 201))]
    sender.join(20)
    patient.close()
    back.stop()

    assert results == [3]


def test_a_stop_ends_the_waiting(server: Server) -> None:
    server.script = [lambda _: (503, "starting")]
    stop = threading.Event()
    writer = BulkWriter(server.url, stop=stop, on_wait=lambda *_: stop.set())
    started = time.monotonic()

    with pytest.raises(PartUnavailableError, match="stopped while waiting"):
        writer.send("i", DOCUMENTS)
    writer.close()
    assert time.monotonic() - started < 5


def test_large_sets_are_sent_in_parts(server: Server, writer: BulkWriter) -> None:
    server.script = [lambda lines: (200, items(*[201] * (len(lines) // 2)))]
    large = [Document(DOCUMENTS[0].action, json.dumps({"text": "x" * 1024 * 1024})) for _ in range(9)]

    assert writer.send("i", large).written == 9
    assert [len(lines) // 2 for lines in server.requests] == [3, 3, 3]


def test_after_a_node_that_is_away_the_next_one_is_asked(server: Server) -> None:
    server.script = [lambda lines: (200, items(201, 201, 201))]
    [away] = find_free(1)
    writer = BulkWriter(f"http://127.0.0.1:{away}", server.url, give_up_seconds=10)
    assert writer.send("metrics-1", DOCUMENTS).written == 3
    writer.close()
    assert server.paths == ["/metrics-1/_bulk?" + server.paths[0].partition("?")[2]]
