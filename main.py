"""The platform's command line: ``python main.py --help``."""

from include.cli.application import build

if __name__ == "__main__":
    build()()
