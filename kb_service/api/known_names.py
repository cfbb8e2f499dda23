"""What a caller names and we do not know: refused, or told, so that nobody believes that it counts."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict


class KnownFields(BaseModel):
    """A body of our own form: a field that is not in it is refused."""

    model_config = ConfigDict(extra="forbid")


class FormFields(BaseModel):
    """A body that other programs fill in with all that they have: what is not known is told in the answer."""

    model_config = ConfigDict(extra="allow")

    @property
    def unknown(self) -> list[str]:
        """The names of the fields that were not read, in order."""
        return sorted(self.model_extra or ())


async def _known_parameters(request: Request) -> None:
    """Raises RequestValidationError: with a filter mistyped, what it should have kept out would be shown."""
    route: APIRoute = request.scope["route"]
    known = frozenset(_taken(route.dependant))
    errors = [_unknown(name, known) for name in request.query_params if name not in known]
    if errors:
        raise RequestValidationError(errors)


def _taken(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for one in dependant.dependencies:
        yield from _taken(one)


def _unknown(name: str, known: frozenset[str]) -> dict[str, Any]:
    alike = get_close_matches(name, known, n=1)
    meant = f"Perhaps '{alike[0]}' is meant" if alike else f"There are {', '.join(sorted(known)) or 'none'}"
    return {"type": "unknown_parameter", "loc": ("query", name), "msg": f"There is no such parameter. {meant}"}


KnownParameters = Depends(_known_parameters)
