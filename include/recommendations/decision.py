"""Whether a new model is good enough to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

# Below so many customers the figures are chance.
FEWEST_CUSTOMERS: Final = 20
# How much more of what customers do next the model must find than popularity does.
CLEARLY_BETTER: Final = 1.1
# How much a new model may fall behind the one that is shown: its figures come from another time.
AS_GOOD: Final = 0.9

Kind = Literal["personal", "popular"]


@dataclass(frozen=True)
class Quality:
    """Figures over the first ten recommendations of each customer.

    Attributes:
        customers: Of how many customers something later is known.
        recall: Share of what they did later that was recommended; of ten products at most.
        hit_rate: Share of customers of whom at least one product was recommended.
        coverage: Share of all products that were recommended to anybody.
    """

    customers: int = 0
    recall: float = 0.0
    hit_rate: float = 0.0
    coverage: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What is shown from now on.

    Attributes:
        publish: ``personal``: the model; ``popular``: what sells best and what goes together, until a model is good
            enough; None: what is shown now stays.
        reason: Why, in words.
    """

    publish: Kind | None
    reason: str


def decide(personal: Quality, popular: Quality, shown: Mapping[str, Any] | None) -> Decision:
    """Decide on a model that was measured on what customers did later.

    Args:
        personal: The model's figures.
        popular: The figures of showing everybody what most like.
        shown: The record of what is shown now (``kind`` and ``recall``); None before the first time.
    """
    figures = f"recall {personal.recall:.3f} against {popular.recall:.3f} of popularity"
    is_clear = personal.recall >= CLEARLY_BETTER * popular.recall and personal.recall > 0
    if personal.customers < FEWEST_CUSTOMERS:
        verdict = f"only {personal.customers} customers came back, {FEWEST_CUSTOMERS} are needed to tell"
    elif not is_clear:
        verdict = f"it is not clearly better than popularity: {figures}"
    elif shown and shown["kind"] == "personal" and personal.recall < AS_GOOD * shown["recall"]:
        verdict = f"it is worse than what is shown, which had a recall of {shown['recall']:.3f}: {figures}"
    else:
        return Decision("personal", figures)
    if shown and shown["kind"] == "personal":
        return Decision(None, verdict)
    return Decision("popular", verdict)
