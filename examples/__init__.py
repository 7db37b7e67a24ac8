"""The example plan, as facts: a published improvement plan and its dated history."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def folder() -> Traversable:
    """Return the folder of the example plan; its `history.json` says what to load, in order."""
    return files(__name__).joinpath("improvement-plan")
