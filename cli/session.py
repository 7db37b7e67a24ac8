"""What every command shares: the ledger, the person, and how to print.

Heavy libraries are imported where they are used, because start-up is felt at every command.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from domain.action import Action
    from ledger.service import Ledger
    from ledger.store import Moment
    from projections.state import PlanState

DEFAULT_LEDGER = "govledger.sqlite"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Session:
    """The words before the command: which ledger, who asks, and how to print.

    Attributes:
        path: the ledger: a path, or a URL that may hold a password, so it is never printed.
        named: the ledger was named in the command itself, so the next must name it too.
    """

    path: str = DEFAULT_LEDGER
    named: bool = False
    json: bool = False
    plain: bool = False
    person: str = ""

    @property
    def recorded_by(self) -> str:
        """Who is recording.

        Raises:
            BadInput: a name that is not one line of text.
        """
        from domain.text import one_line

        return one_line(self.person if said(self.person) else os_user(), "A person's name")

    @property
    def location(self) -> str:
        """Where the ledger is, as it may be printed: without a password.

        Raises:
            BadInput: bad-address.
        """
        from ledger.address import location_of

        return location_of(self.path)

    @contextmanager
    def ledger(self, *, any_models: bool = False) -> Iterator[Ledger]:
        """The ledger, open.

        Args:
            any_models: the command does not rest on the read models, so they may be behind.
        """
        from projections.upkeep import check_in_step, open_ledger

        ledger = open_ledger(self.path)
        try:
            if not any_models:
                check_in_step(ledger)
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def question(
        self, as_at: date | None, known_at: date | datetime | int | None, plan: str | None
    ) -> Iterator[Question]:
        """The ledger with a question to it: the moment resolved, the plan found."""
        with self.ledger() as ledger, ledger.database.reading() as connection:
            moment = ledger.moment(as_at, known_at)
            code = choose_plan(ledger, plan, moment.position)
            yield Question(ledger, connection, moment, code)


@dataclass(frozen=True)
class Question:
    """An open ledger, one consistent view of it, the moment and the plan asked about."""

    ledger: Ledger
    connection: Connection
    moment: Moment
    code: str

    def action(self, state: PlanState, ref: str) -> Action:
        """The action, as in that state.

        Raises:
            Refusal: unknown-reference; not-there-yet for one that is in the plan at other times.
        """
        from domain.errors import Refusal

        if ref not in state.actions and ref in self.ledger.references(self.code):
            raise Refusal(
                "not-there-yet",
                f"{ref} was not in the plan on {self.moment.as_at}, as known after entry "
                f"{self.moment.position}.",
                f"See when it joined: govledger log {ref}",
            )
        return state.action(ref)


def choose_plan(ledger: Ledger, plan: str | None, known_at: int | None = None) -> str:
    """The plan that is meant.

    Args:
        known_at: only plans known after this entry count, so that a question asked as known then
            has the same answer whatever plans have begun since.

    Raises:
        BadInput: which-plan, where there are several and none was named.
        Refusal: unknown-plan, or no-plan.
    """
    from domain.errors import BadInput, Refusal

    codes = ledger.plan_codes(known_at) or ledger.plan_codes()
    if plan is not None:
        if plan in codes:
            return plan
        raise Refusal(
            "unknown-plan",
            f"The ledger holds no plan '{plan}'.",
            f"Plans in it: {', '.join(codes) or 'none yet'}.",
        )
    if len(codes) == 1:
        return codes[0]
    if not codes:
        raise Refusal(
            "no-plan",
            "The ledger holds no plan yet.",
            "Take one in with: govledger plan import FILE --plan CODE --as-at DATE --source REF",
        )
    raise BadInput("which-plan", "The ledger holds several plans.", f"Name one: {', '.join(codes)}")


def os_user() -> str:
    """The name that the operating system knows the person by."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def said(word: str | None) -> TypeGuard[str]:
    """Whether a word was given, and is not blank."""
    return word is not None and bool(word.strip())


_pass = click.make_pass_decorator(Session)


def pass_session(function: F) -> F:
    """Give the session to the command as its first argument."""
    return _pass(function)  # type: ignore[return-value]
