"""``python -m include.quality``: write the structural part of the suites anew after a contract changed."""

from include.quality.structure import regenerate_all

if __name__ == "__main__":
    regenerate_all()
