"""Routes for those who run the API: alive, ready, measured. They need no token and tell nothing of the shop."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

router = APIRouter(tags=["probes"])


@router.get("/healthz", summary="The process lives")
async def healthz() -> dict[str, str]:
    """Whether the process answers; says nothing of Elasticsearch."""
    return {"status": "ok"}


@router.get("/readyz", summary="It can answer questions")
async def readyz(request: Request) -> dict[str, str]:
    """Whether Elasticsearch answers and has all aliases; 503 with the reason when not."""
    await request.app.state.store.ready()
    return {"status": "ok"}


@router.get("/metrics", summary="For Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> str:
    """Response times by route, listeners of the stream, searches sent to Elasticsearch."""
    state = request.app.state
    text: str = state.requests.text(listeners=state.broadcast.listeners, searches=state.store.searches)
    return text
