"""What ``./run.sh test`` runs."""

from include.cli.checks import _STEPS, Tier
from include.config import PROJECT_ROOT


def _runs(arguments: tuple[str, ...], file: str) -> bool:
    left_out = [argument.removeprefix("--ignore=") for argument in arguments if argument.startswith("--ignore=")]
    chosen = [argument for argument in arguments if not argument.startswith("--")]
    return (
        any(file.startswith(one) for one in chosen)
        and not any(file.startswith(f"{one}/") for one in left_out)
        and (file not in left_out)
    )


def test_every_test_file_is_run_by_one_step_of_its_tier() -> None:
    files = [path.relative_to(PROJECT_ROOT).as_posix() for path in (PROJECT_ROOT / "tests").rglob("test_*.py")]
    assert len(files) > 100
    for file in files:
        tiers = [tier for tier, _, arguments in _STEPS if _runs(arguments, file)]
        assert tiers == [Tier(file.split("/")[1])], file
