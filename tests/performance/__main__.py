"""Run benches: ``./run.sh bench [NAME] [OPTIONS]``; without a name the first, short one."""

import sys
from importlib import import_module
from typing import Final

BENCHES: Final = {
    "first": "tests.performance.bench_first",
    "speed": "tests.performance.bench_speed",
    "batch": "tests.performance.bench_batch",
    "week": "tests.performance.bench_week",
    "beside": "tests.performance.bench_beside",
    "fraud": "tests.performance.bench_fraud",
    "serve": "tests.performance.bench_serve",
    "page": "tests.performance.bench_page",
    "collect": "tests.performance.bench_collect",
    "quality": "tests.performance.bench_quality",
}


def main() -> int:
    """Run the bench that was asked for."""
    name = sys.argv[1] if len(sys.argv) > 1 else "first"
    if name not in BENCHES:
        print(f"no bench is called {name!r}; there are: {', '.join(BENCHES)}", file=sys.stderr)  # noqa: T201
        return 2
    return int(import_module(BENCHES[name]).main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
