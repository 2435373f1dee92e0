import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.supervision.lease import Lease, LeaseError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "speed-layer.lease"


def held_by(path: Path, **changes: object) -> None:
    with_lease = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(with_lease | changes), encoding="utf-8")


def test_the_first_driver_gets_the_lease(path: Path) -> None:
    lease = Lease(path)

    assert lease.acquire().epoch == 1
    assert [holder.pid for holder in [lease.holder()] if holder] == [os.getpid()]
    lease.require()


def test_a_second_driver_is_refused_and_told_who_holds_it(path: Path) -> None:
    Lease(path).acquire()

    with pytest.raises(LeaseError, match=f"process {os.getpid()} on .* .epoch 1"):
        Lease(path).acquire()


def test_the_lease_of_a_dead_process_is_free_and_the_epoch_grows(path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    Lease(path).acquire()
    held_by(path, pid=dead.pid)

    assert Lease(path).acquire().epoch == 2


def test_a_reused_process_id_is_not_taken_for_the_driver(path: Path) -> None:
    Lease(path).acquire()
    held_by(path, started_at=1.0)

    assert Lease(path).acquire().epoch == 2


@pytest.mark.parametrize(("silence", "is_free"), [(5, False), (120, True)])
def test_a_driver_on_another_machine_counts_as_gone_after_a_minute_of_silence(
    path: Path, silence: float, is_free: bool
) -> None:
    Lease(path).acquire()
    held_by(path, host="elsewhere", renewed_at=time.time() - silence)

    if is_free:
        assert Lease(path).acquire().epoch == 2
    else:
        with pytest.raises(LeaseError, match="on elsewhere"):
            Lease(path).acquire()


def test_a_driver_that_lost_the_lease_may_not_write(path: Path) -> None:
    old = Lease(path)
    old.acquire()
    held_by(path, host="elsewhere", renewed_at=0.0)
    Lease(path).acquire()

    with pytest.raises(LeaseError, match="lost the lease"):
        old.require()
    with pytest.raises(LeaseError, match="lost the lease"):
        old.renew()


def test_a_released_lease_is_free_and_its_epoch_is_not_used_again(path: Path) -> None:
    first = Lease(path)
    first.acquire()
    first.renew()
    first.release()

    assert first.holder() is None
    assert Lease(path).acquire().epoch == 2
