"""The collector: Segment's HTTP tracking API in front of Kafka.

An event is answered for when all replicas have it. One that breaks its contract never refuses its batch: it goes to
Kafka like the others, where the streams put it into the dead letters with the reason, and the answer names it.
"""

import base64
import binascii
import gzip
import hmac
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request, status
from fastapi.responses import JSONResponse

from include.collector.gateway import Gateway
from include.collector.messages import as_time, event_of
from include.config import Settings
from include.contracts.registry import contracts_by_topic
from include.contracts.validation import Rejection, check
from include.errors import PartUnavailableError
from include.exposure import listed, require_secret
from include.names import VERSION, Topic

# Segment's own limits are 500 kB for a request and 32 kB for an event.
MOST_BYTES: Final = 512_000
_KINDS: Final = ("track", "page", "screen", "identify", "group", "alias")

Record = tuple[Topic, bytes | None, bytes]


def write_keys_of(settings: Settings) -> tuple[str, ...]:
    """The keys with which events may be sent; empty when anyone on this machine may.

    Raises:
        ConfigurationError: If the collector would listen beyond this machine without a key.
    """
    keys = listed(settings.collector_write_keys)
    require_secret(settings, "COLLECTOR_WRITE_KEYS", keys)
    return tuple(keys)


def create_app(settings: Settings) -> FastAPI:
    """The application; it connects when it starts."""
    keys = write_keys_of(settings)
    gateway = Gateway(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        gateway.open()
        yield
        gateway.close()

    app = FastAPI(title="Collector", version=VERSION, summary="Events of shops, into Kafka.", lifespan=lifespan)

    @app.exception_handler(PartUnavailableError)
    async def unavailable(_: Request, error: PartUnavailableError) -> JSONResponse:
        return JSONResponse({"success": False, "message": str(error)}, 503, headers={"Retry-After": "2"})

    @app.get("/healthz", summary="The process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/batch", summary="Many events")
    @app.post("/v1/import", summary="Many events of the past")
    async def batch(request: Request) -> dict[str, Any]:
        body = await _body(request, keys)
        messages = body.get("batch")
        if not isinstance(messages, list):
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "batch: a list of messages is needed")
        return await _take(gateway, messages, body)

    for kind in _KINDS:
        app.post(f"/v1/{kind}", summary=f"One event: {kind}")(_one(gateway, keys, kind))
    return app


def _one(gateway: Gateway, keys: tuple[str, ...], kind: str) -> Any:
    async def one(request: Request) -> dict[str, Any]:
        body = await _body(request, keys)
        return await _take(gateway, [{**body, "type": kind}], body)

    return one


async def _take(gateway: Gateway, messages: list[Any], body: dict[str, Any]) -> dict[str, Any]:
    received, sent = datetime.now(UTC), as_time(body.get("sentAt"))
    records: list[Record] = []
    refused: list[dict[str, Any]] = []
    left_out = 0
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            refused.append({"index": place, "field": "", "expected": "an object", "found": type(message).__name__})
            continue
        found = event_of(message, received, sent)
        if found is None:
            left_out += 1
            continue
        record, rejection = _record(*found, received)
        records.append(record)
        if rejection is not None:
            refused.append(_told(place, rejection))
    await gateway.send(records)
    return {"success": True, "accepted": len(records), "left_out": left_out, "refused": refused}


def _record(topic: Topic, event: dict[str, Any], received: datetime) -> tuple[Record, Rejection | None]:
    value = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    name = event.get(contracts_by_topic()[topic].key_field)
    key = None if name is None else str(name).encode()
    return (topic, key, value), check(value, topic, key, received)


def _told(place: int, rejection: Rejection) -> dict[str, Any]:
    fault = {"field": rejection.field, "expected": rejection.expected, "found": rejection.found}
    return {"index": place, "reason": rejection.reason.value, **fault}


async def _body(request: Request, keys: tuple[str, ...]) -> dict[str, Any]:
    raw = await request.body()
    if len(raw) > MOST_BYTES:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"at most {MOST_BYTES} bytes in a request")
    try:
        text = _unpacked(raw) if request.headers.get("content-encoding", "").lower() == "gzip" else raw
        body = json.loads(text)
    except (ValueError, OSError, EOFError, zlib.error, RecursionError) as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"the body is no JSON object but {type(body).__name__}")
    _check_key(request.headers.get("authorization", ""), body, keys)
    return body


def _unpacked(raw: bytes) -> bytes:
    opened = zlib.decompressobj(wbits=31)
    text = opened.decompress(raw, MOST_BYTES * 10)
    if opened.unconsumed_tail:
        raise gzip.BadGzipFile(f"unpacked it has more than {MOST_BYTES * 10} bytes")
    return text


def _check_key(header: str, body: dict[str, Any], keys: tuple[str, ...]) -> None:
    if not keys:
        return
    given = str(body.get("writeKey", ""))
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if True not in [hmac.compare_digest(given.encode(), key.encode()) for key in keys]:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED, "a valid write key is needed: as user of basic authentication, or as writeKey"
        )
