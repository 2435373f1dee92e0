"""A Slack and a mail server on loopback, which show faults that the real ones do not show on demand."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Answer:
    """What Slack answers to one request; ``raw`` replaces the whole HTTP answer."""

    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    delay: float = 0


class Slack:
    """Plays Slack's webhooks (/services/...) and chat.postMessage (/api/...). Keeps what it took."""

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.taken: list[dict[str, Any]] = []
        self.url = ""

    @property
    def webhook(self) -> str:
        return f"{self.url}/services/T0/B0/s3cr3t-webhook"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.requests.append((handler.path, dict(handler.headers), body))
        answer = self.script.popleft() if self.script else self._usual(handler.path)
        time.sleep(answer.delay)
        if answer.raw is not None:
            handler.wfile.write(answer.raw)
            return
        if answer.status == 200 and ("ok" in answer.body):
            self.taken.append(body)
        data = answer.body.encode()
        handler.send_response(answer.status)
        for name, value in {"Content-Length": str(len(data)), **answer.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _usual(self, path: str) -> Answer:
        if path.startswith("/api/"):
            return Answer(body=json.dumps({"ok": True, "ts": f"17000000.{len(self.taken)}", "channel": "C1"}))
        return Answer()


@contextmanager
def running_slack() -> Iterator[Slack]:
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                slack.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer:
    """Keeps what it took; ``refuse_with`` makes it refuse."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refuse_with: deque[str] = deque()
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.refuse_with:
            return self.refuse_with.popleft()
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((envelope.rcpt_tos, message))
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"s3cr3t-smtp")


@contextmanager
def running_mail_server(port: int) -> Iterator[MailServer]:
    mail = MailServer()
    mail.port = port
    controller = Controller(
        mail, hostname="127.0.0.1", port=port, authenticator=mail.authenticate, auth_require_tls=False
    )
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()
