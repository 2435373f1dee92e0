import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import HTTPException
from pydantic import SecretStr, ValidationError

from include.config import Settings
from include.errors import ConfigurationError, PartUnavailableError
from include.serving.api.access import Access, Scope, Token, tokens_of
from include.serving.api.app import create_app
from include.serving.api.broadcast import Broadcast
from include.serving.api.measure import Requests
from include.serving.api.questions import EventQuestion, Interval, SeriesQuestion
from include.serving.api.shared import Shared, SharedByQuestion


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_no_token_is_needed(host: str) -> None:
    assert tokens_of(settings(platform_bind_host=host)) == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "shop.example"])
def test_beyond_this_machine_the_api_does_not_start_without_a_token(host: str) -> None:
    with pytest.raises(ConfigurationError, match="API_TOKENS is not set"):
        create_app(settings(platform_bind_host=host))
    tokens = tokens_of(settings(platform_bind_host=host, api_tokens=SecretStr("one, two:stock+fraud")))
    assert tokens == (Token("one", frozenset(Scope)), Token("two", frozenset({Scope.STOCK, Scope.FRAUD})))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("one,s3cret:sales", "entry 2 names the scope 'sales'; write TOKEN"), (":stock", "entry 1 has no token before")],
)
def test_a_wrong_token_is_told_by_its_place_and_not_shown(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as error:
        tokens_of(settings(api_tokens=SecretStr(text)))
    assert "s3cret" not in str(error.value)
    assert "figures, search, fraud, stock, recommendations, platform" in str(error.value)


def admitted(access: Access, credentials: str | None, address: str = "10.0.0.1") -> int:
    """The status with which a request for stock is answered."""
    try:
        asyncio.run(access.admit(Scope.STOCK, credentials, address))
    except HTTPException as error:
        return error.status_code
    return 200


def test_each_caller_may_ask_so_often_in_a_minute() -> None:
    tokens = (Token("one", frozenset(Scope)), Token("two", frozenset(Scope)))
    guarded, open_to_all = Access(tokens, 2), Access((), 2)
    assert [admitted(guarded, "one") for _ in range(3)] == [200, 200, 429]
    assert admitted(guarded, "two") == 200
    assert [admitted(open_to_all, None) for _ in range(3)] == [200, 200, 429]
    assert admitted(open_to_all, None, "10.0.0.2") == 200
    assert [admitted(Access((), 0), None) for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "must be before until"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "interval": "10s"}, "more than 10000"),
        ({"since": "2026-01-01T00:00:00"}, "timezone"),
        ({"dimension": "color"}, "Input should be"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_a_series_that_cannot_be_answered_is_refused(asked: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        SeriesQuestion.model_validate(asked)


def test_a_year_of_days_is_allowed() -> None:
    year = {"since": "2025-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z", "interval": "1d", "dimension": "category"}
    assert SeriesQuestion.model_validate(year).interval is Interval.DAY


def test_names_with_anything_but_name_characters_are_refused() -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        EventQuestion.model_validate({"user_id": 'x" OR *:*'})


def test_all_listeners_get_the_same_look() -> None:
    looks = 0

    async def look() -> dict[str, Any]:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise PartUnavailableError("elasticsearch", "away")
        return {"look": looks}

    async def first(stream: AsyncIterator[bytes], number: int) -> list[str]:
        found = []
        async for message in stream:
            found.append(message.decode())
            if len(found) == number:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    async def scene() -> list[list[str]]:
        broadcast = Broadcast(look, tick_seconds=0.02)
        heard = await asyncio.gather(*(first(broadcast.listen(), 3) for _ in range(50)))
        assert broadcast.listeners == 0
        await asyncio.sleep(0.1)
        assert looks <= 4, "nobody listens, yet it asks"
        await broadcast.close()
        return heard

    heard = asyncio.run(scene())
    assert all(messages == heard[0] for messages in heard)
    assert json.loads(heard[0][0].partition("data: ")[2]) == {"look": 1}
    assert "event: unavailable" in heard[0][1]
    assert "elasticsearch is not available: away" in heard[0][1]


def test_response_times_are_counted_by_route() -> None:
    requests = Requests()
    requests.add("/v1/kpis", 200, 0.02)
    requests.add("/v1/kpis", 200, 7.0)
    text = requests.text(listeners=3)
    assert 'platform_api_request_seconds_bucket{route="/v1/kpis",status="200",le="0.025"} 1' in text
    assert 'platform_api_request_seconds_bucket{route="/v1/kpis",status="200",le="+Inf"} 2' in text
    assert "platform_api_listeners 3" in text


def test_who_asks_the_same_at_once_shares_the_answer_and_an_error_is_not_kept() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        if asked == 1:
            raise PartUnavailableError("elasticsearch", "away")
        return asked

    async def scene() -> None:
        shared = Shared(ask, seconds=0.2)
        failed = await asyncio.gather(*(shared.get() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(error, PartUnavailableError) for error in failed)
        assert await asyncio.gather(*(shared.get() for _ in range(20))) == [2] * 20
        assert await shared.get() == 2
        await asyncio.sleep(0.25)
        assert await shared.get() == 3

    asyncio.run(scene())


def test_each_question_is_asked_once_for_all_who_ask_it_and_the_oldest_are_forgotten() -> None:
    asked: list[str] = []

    async def answer(question: str) -> str:
        asked.append(question)
        await asyncio.sleep(0.01)
        return f"answer to {question}"

    async def scene() -> None:
        shared = SharedByQuestion[str](most=2)

        async def ask(question: str) -> str:
            return await shared.get(question, lambda: answer(question))

        found = await asyncio.gather(*(ask(question) for question in "aabba"))
        assert found == ["answer to a", "answer to a", "answer to b", "answer to b", "answer to a"]
        assert asked == ["a", "b"]
        # The third takes the place of the one that was asked for longest ago.
        assert [await ask(question) for question in "cab"] == ["answer to c", "answer to a", "answer to b"]
        assert asked == ["a", "b", "c", "b"]

    asyncio.run(scene())
