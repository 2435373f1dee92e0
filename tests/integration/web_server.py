"""An application in a real server of this process, on a free port."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from include.local.ports import find_free


@contextmanager
def served(app: FastAPI, *, certificate: Path | None = None, key: Path | None = None) -> Iterator[str]:
    """Its address, while the block runs; with a certificate it has TLS."""
    (port,) = find_free(1)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", ws="none", ssl_certfile=certificate, ssl_keyfile=key
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
