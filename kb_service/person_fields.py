"""Which fields of a record hold a person, told by their names in whatever program the record comes from."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ROLES = (
    "approver|assignee|attendee|author|caller|b?cc|collaborator|consumer|contact|creator|customer|employee"
    "|follower|manager|participant|person|recipient|reporter|request[eo]r|responder|reviewer|sender|submitter|supervisor"
    "|technician|user|username|userid|upn|watcher"
)
_DONE = (
    "acknowledged|approved|assigned|called|cancell?ed|changed|closed|completed|confirmed|created|edited|entered|escalated"
    "|fixed|handled|logged|managed|modified|opened|owned|raised|rejected|reopened|reported|requested|resolved|reviewed"
    "|solved|submitted|tested|updated|verified"
)
_OTHERS = "assigned_to|behalf(?:_of)?|watch_?list|work_notes_list"
# "Affected users" are counted
_NO_COUNT = "(?<!affected_users)(?<!impacted_users)(?<!of_users)"
# Who it is may be said behind it; anything else, as in "caller_vip", is something about the person
_WHO = "ids?|names?|e?_?mails?(?:_address)?|display|first|full|last|list|value"
_PERSON = re.compile(rf"(?:.*_)?(?:(?:{_ROLES})s?{_NO_COUNT}|(?:{_DONE})_(?:by|for)|{_OTHERS})(?:_(?:{_WHO}))*")


def holds_person(field: str) -> bool:
    """Whether a field's value names somebody: ``caller_id``, ``Opened by``, ``reporter.displayName``."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field))
    return _PERSON.fullmatch("_".join(words).casefold()) is not None


def naming_persons(fields: Mapping[str, Any]) -> Iterator[Any]:
    """The values of the fields that hold a person, at whatever depth."""
    for name, value in fields.items():
        if holds_person(str(name)):
            yield value
        for inside in _mappings(value):
            yield from naming_persons(inside)


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list | tuple):
        yield from (inside for one in value for inside in _mappings(one))
