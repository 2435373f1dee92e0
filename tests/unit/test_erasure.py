"""Erasure: what is left of a record, of a document, of a file; and what a certificate says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.config import Settings
from include.contracts.validation import check
from include.erasure.certificate import Certificate, certificate_path, load_certificate
from include.erasure.erase import certify, rehearse
from include.erasure.indices import names
from include.erasure.person import Person, erased_document, erased_event, person, personal_columns
from include.erasure.scan import files_naming
from include.errors import ConfigurationError
from include.names import Topic
from tests.records import CART, ORDER, REVIEW

ANN = Person("ann@example.org", "erased-1")
ANNS: tuple[tuple[Topic, dict[str, Any]], ...] = (
    (Topic.USER_EVENTS, CART),
    (Topic.PURCHASES, ORDER),
    (Topic.CUSTOMER_FEEDBACK, REVIEW),
)


def erased(document: object, topic: Topic = Topic.USER_EVENTS, who: Person = ANN) -> Any:
    value = erased_event(json.dumps(document).encode(), topic, who)
    assert value is not None
    return json.loads(value)


@pytest.mark.parametrize(("topic", "event"), ANNS, ids=[topic.value for topic, _ in ANNS])
def test_a_valid_event_stays_valid_and_counts_the_same(topic: Topic, event: dict[str, Any]) -> None:
    found = erased(event, topic)
    assert check(json.dumps(found).encode(), topic) is None
    assert found["user_id"] == "erased-1"
    personal = {*personal_columns(), "device", "payment"}
    assert {name: value for name, value in found.items() if name not in personal} == {
        name: value for name, value in event.items() if name not in personal
    }
    assert not {"latitude", "longitude"} & set(found)
    assert found.get("text", "erased") == "erased"
    assert found.get("device", {}).get("device_id", "erased") == "erased"
    assert found.get("payment", {}).get("card_id", "erased") == "erased"


def test_the_id_is_found_in_unknown_fields_and_free_texts_but_not_within_other_words() -> None:
    who = Person("00", "erased-1")
    event = {**CART, "user_id": "00", "userId": "00", "page": "/u/00?x=100", "note": ["see 00, not 1.00 or 10:00:00"]}
    found = erased(event, who=who)
    assert (found["userId"], found["page"], found["event_time"]) == (
        "erased-1",
        "/u/erased-1?x=100",
        CART["event_time"],
    )
    assert (found["note"], found["unit_price"]) == (["see erased-1, not 1.00 or 10:00:00"], "10.00")


@pytest.mark.parametrize("value", [None, b'{"user_id": "ann', b'["ann@example.org"]', b"\xff"])
def test_of_what_is_no_object_nothing_is_kept(value: bytes | None) -> None:
    assert erased_event(value, Topic.PURCHASES, ANN) is None


def test_a_document_of_an_index_keeps_all_but_the_person() -> None:
    source = {
        "user_id": "ann@example.org",
        "device_id": "d1",
        "latitude": 1.5,
        "message": "Order of ann@example.org is large",
        "evidence_values": {"cards": ["c1"], "who": "ann@example.org"},
        "amount_minor": 100,
    }
    assert names(source, ANN)
    assert erased_document(source, ANN) == {
        "user_id": "erased-1",
        "device_id": "erased",
        "message": "Order of erased-1 is large",
        "evidence_values": {"cards": ["c1"], "who": "erased-1"},
        "amount_minor": 100,
    }
    assert not names(erased_document(source, ANN), ANN)


def test_pseudonyms_are_random_and_keep_the_contract() -> None:
    first, second = person("ann"), person("ann")
    assert first.pseudonym != second.pseudonym
    assert check(json.dumps({**CART, "user_id": first.pseudonym}).encode(), Topic.USER_EVENTS) is None


def test_every_file_is_searched_also_those_that_no_version_needs(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    folder = tmp_path / "lake" / "silver" / "purchases"
    (folder / "_delta_log").mkdir(parents=True)
    rows = {
        "clean": pa.table({"user_id": ["bob", "annabel"], "n": [1, 2]}),
        "text": pa.table({"user_id": ["ann"], "n": [1]}),
        "list": pa.table({"devices": [["d1"], ["d2", "ann"]]}),
        "bytes": pa.table({"value": [b'{"user_id":"ann"}', b"{}"]}),
        "key": pa.table({"key": [b"ann"]}),
        "struct": pa.table({"items": [[{"product_id": "ann"}]]}),
    }
    for name, table in rows.items():
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "_delta_log" / "0.json").write_text('{"add":{"stats":"{\\"minValues\\":{\\"user_id\\":\\"ann\\"}}"}}')
    found = [Path(path).name for path in files_naming(settings, "ann")]
    assert found == ["0.json", "bytes.parquet", "key.parquet", "list.parquet", "struct.parquet", "text.parquet"]


def test_a_lake_in_an_object_store_is_not_called_clean() -> None:
    with pytest.raises(ConfigurationError, match="only a lake in a folder can be scanned"):
        files_naming(Settings(_env_file=None, lake_uri="s3a://shop/lake"), "ann")


def test_a_certificate_names_the_pseudonym_and_is_clean_only_when_verified(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    later = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
    certificate = Certificate("erasure-1", "T-17", "erased-1", "2026-11-24", {"silver.purchases": 2}, later)
    assert certificate.status == "erased"
    certificate.keep(settings)
    assert load_certificate(settings, "erasure-1") == certificate
    with pytest.raises(ConfigurationError, match=r"files may be deleted from .* on; certify then"):
        certify(settings, "ann", "erasure-1")
    certificate.verified_at = "2026-11-25"
    assert certificate.status == "clean"
    certificate.left_in_indices = {"elasticsearch.events": 1}
    told = certificate.alert(settings, certificate_path(settings, "erasure-1"))
    assert (certificate.status, told.severity) == ("left", "critical")


def test_what_is_no_user_id_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="that is no user id"):
        rehearse(Settings(_env_file=None, platform_data_dir=tmp_path), "ann or bob")
