"""Pinned files: what the lock holds, and the links into Spark's folder of jars."""

import re
from pathlib import Path

from include.local.artifacts import link_jars, locked


def test_every_pinned_file_has_a_checksum_and_a_size() -> None:
    assert locked()
    assert all(re.fullmatch("[0-9a-f]{64}", artifact.sha256) and artifact.size > 0 for artifact in locked())


def test_each_part_has_its_files() -> None:
    names = {group: [a.file for a in locked() if a.group == group] for group in ("spark", "kafka", "elasticsearch")}
    assert any(name.startswith("delta-spark_") for name in names["spark"])
    assert any(name.startswith("kafka_2.13-") for name in names["kafka"])
    assert len(names["elasticsearch"]) == 1


def jar(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(name)
    return path


def test_links_of_an_earlier_pin_go_and_foreign_jars_stay(tmp_path: Path) -> None:
    cache, jars = tmp_path / "cache", tmp_path / "jars"
    jar(jars, "spark-core.jar")
    old, new = jar(cache / "1", "delta-1.jar"), jar(cache / "2", "delta-2.jar")
    assert link_jars([old], jars, cache) == ["delta-1.jar"]
    assert link_jars([new], jars, cache) == ["delta-2.jar"]
    assert sorted(path.name for path in jars.iterdir()) == ["delta-2.jar", "spark-core.jar"]
    assert link_jars([new], jars, cache) == []


def test_a_link_whose_file_moved_is_made_anew(tmp_path: Path) -> None:
    cache, jars = tmp_path / "cache", tmp_path / "jars"
    jars.mkdir()
    gone, here = jar(cache / "1", "delta.jar"), jar(cache / "2", "delta.jar")
    link_jars([gone], jars, cache)
    gone.unlink()
    assert link_jars([here], jars, cache) == ["delta.jar"]
    assert (jars / "delta.jar").resolve() == here
