"""What an article must have to be relied on: an owner, a review date ahead, and of a runbook the way back and on."""

import re
from collections.abc import Callable, Iterator, Sequence

from indexer.check_options import Options
from indexer.findings import Example, Fault, FindInArticle, Rule, current
from indexer.frontmatter import meant_by
from indexer.library import Article, Library
from indexer.skeletons import guidance_left

_VERIFICATION = (
    r"verif\w*",
    r"validat\w*",
    r"confirm\w*",
    r"post-?checks?",
    r"smoke tests?",
    r"acceptance",
    r"success criteria",
    r"expected (result|outcome)s?",
    r"done when",
    r"is it (fixed|solved|resolved)",
    r"(did|has) it work(ed)?",
    r"(that|whether|if|how to tell|how do you know) it (work(s|ed)|is (fixed|solved|resolved|done))",
    r"test (the|your) (fix|result|change|repair)",
)
_ROLLBACK = (
    r"roll(ing)?[ -]?backs?",
    r"back(ing)?[ -]?(it )?out",
    r"undo(ing)?",
    r"revert(ing)?",
    r"revers(e|ing) (it|the|this|that|each|all|your)",
    r"fall[ -]?back",
    r"(restore|return to|put back) (the )?(previous|old|former|original|earlier)",
    r"way back",
)
_ESCALATION = (
    r"escalat\w*",
    r"hand(ing)?[ -]?(it )?(over|off)",
    r"pass(ing)? (it )?on",
    r"(who|whom) (to|do (I|you|we)) (call|ask|contact|tell)",
    r"(call|ask|get|getting) (for )?(more )?help",
    r"next (level|tier|line)",
    r"if (this|it|that|nothing|none of this) (does not|doesn't|did not|didn't|helps?|worked)",
    r"(still )?not (solved|resolved|fixed|working)",
    r"contacts?",
)
# To verify who calls, or what is broken, comes before the work and shows nothing of its outcome
_BEFORE = re.compile(
    r"\b(identity|who is|caller|requester|prerequisites|symptoms?|alert|fault|problem|cause|impact|scope)\b", re.I
)
_AFTER = re.compile(r"\b(gone|fixed|solved|resolved|cleared)\b", re.IGNORECASE)


def _missing_owner(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    if not (article.knowledge.owner or "").strip():
        line = article.line_of("owner")
        yield Fault(
            article.path, line, "nobody owns this article", "Name the accountable team, as in owner: service-desk"
        )


def _missing_review_date(article: Article, _library: Library, options: Options) -> Iterator[Fault]:
    if article.knowledge.review_by is None and article.knowledge.type not in options.undated_types:
        line = article.line_of("review_by")
        yield Fault(
            article.path, line, "no date of review", "Say when its owner must look again, as in review_by: 2027-05-31"
        )


def _overdue_review(article: Article, library: Library, options: Options) -> Iterator[Fault]:
    due = article.knowledge.review_by
    days = (library.today - due).days if due else 0
    if days > options.review_grace_days:
        what = f"its review has been due since {due}, {days} day{'s' * (days > 1)} ago"
        yield Fault(article.path, article.line_of("review_by"), what, "Read it through, mend it, and set the next date")


def _misspelled_key(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    said = article.knowledge.extra
    for key in said:
        meant = meant_by(key)
        # Where the right one stands too, the other is another program's
        if meant and article.line_of(meant) == 1:
            what = f"'{key}' is no key that is read, and nearly '{meant}', which is"
            yield Fault(article.path, article.line_of(key), what, f"Write '{meant}', or leave it out")


def _unfinished(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    left = guidance_left(article.knowledge.body) if article.knowledge.workflow_state != "draft" else []
    if left:
        line = article.knowledge.body_line + left[0] - 1
        what = f"{len(left)} line{'s' * (len(left) > 1)} of the skeleton's guidance would be published"
        yield Fault(article.path, line, what, "Answer the questions and take them out, or keep it a draft")


def _without(
    what: str, remedy: str, usual: Sequence[str], further: Callable[[Options], tuple[str, ...]]
) -> FindInArticle:
    """A rule that a runbook has a section of some heading, with something in it."""
    pattern = re.compile(rf"\b({'|'.join(usual)})\b", re.IGNORECASE)

    def find(article: Article, _library: Library, options: Options) -> Iterator[Fault]:
        if article.knowledge.type != "runbook":
            return
        own = {heading.casefold() for heading in further(options)}
        alike = [
            place
            for place, section in enumerate(article.sections)
            if section.title.casefold() in own or (pattern.search(section.title) and not _comes_before(section.title))
        ]
        if not alike:
            yield Fault(article.path, article.line_of_title(), f"a runbook without {what}", remedy)
        elif not any(_says_something(article, place) for place in alike):
            line = article.section_lines[alike[0]]
            yield Fault(article.path, line, f"'{article.sections[alike[0]].title}' is empty", remedy)

    return find


def _comes_before(heading: str) -> bool:
    return _BEFORE.search(heading) is not None and _AFTER.search(heading) is None


def _says_something(article: Article, place: int) -> bool:
    """Whether there is text below a heading, or below one of its own."""
    level = article.sections[place].level
    for section in article.sections[place:]:
        if section is not article.sections[place] and section.level <= level:
            return False
        if section.blocks:
            return True
    return False


_RUNBOOK = "## Steps\n\n1. Restart the spooler.\n"
_VERIFIED = "## Verification\n\nA test page is printed.\n"
_BACK = "## Rollback\n\nStart the old spooler again.\n"
_ON = "## Escalation\n\nWorkplace services, with the printer's name.\n"

RULES = (
    Rule(
        "missing-owner",
        "warning",
        "An article that no team is accountable for.",
        Example("owner:", "owner: service-desk"),
        current(_missing_owner),
    ),
    Rule(
        "missing-review-date",
        "warning",
        "An article without a date of review, but for types in `undated_types`.",
        Example("review_by:", "review_by: 2099-05-31"),
        current(_missing_review_date),
    ),
    Rule(
        "overdue-review",
        "warning",
        "An article whose date of review is past, by more than `review_grace_days`.",
        Example("review_by: 2024-05-31", "review_by: 2099-05-31"),
        current(_overdue_review),
    ),
    Rule(
        "misspelled-key",
        "warning",
        "A key of the front matter that is nearly one of ours, and so is not read.",
        Example("sumary: Rooms are booked in the calendar.", "summary: Rooms are booked in the calendar."),
        current(_misspelled_key),
    ),
    Rule(
        "unfinished",
        "error",
        "An article, no draft any more, that still has questions of the skeleton that `kb new` wrote.",
        Example("> ✎ How does one know that it works again?", "The user prints a test page."),
        current(_unfinished),
    ),
    Rule(
        "no-verification",
        "warning",
        "A runbook that does not say how to see that it worked: no section Verification, or a like name.",
        Example(_RUNBOOK + _BACK + _ON, _RUNBOOK + _VERIFIED + _BACK + _ON, "runbooks/example.md"),
        current(
            _without(
                "verification",
                "Add a section 'Verification': what is to be seen when it worked",
                _VERIFICATION,
                lambda options: options.verification_headings,
            )
        ),
    ),
    Rule(
        "no-rollback",
        "warning",
        "A runbook that does not say how to undo it: no section Rollback, or a like name.",
        Example(_RUNBOOK + _VERIFIED + _ON, _RUNBOOK + _VERIFIED + _BACK + _ON, "runbooks/example.md"),
        current(
            _without(
                "rollback",
                "Add a section 'Rollback': how to undo each change, or that nothing is changed",
                _ROLLBACK,
                lambda options: options.rollback_headings,
            )
        ),
    ),
    Rule(
        "no-escalation",
        "warning",
        "A runbook that does not say whom to hand over to: no section Escalation, or a like name.",
        Example(_RUNBOOK + _VERIFIED + _BACK, _RUNBOOK + _VERIFIED + _BACK + _ON, "runbooks/example.md"),
        current(
            _without(
                "escalation",
                "Add a section 'Escalation': when, to whom, and with which facts",
                _ESCALATION,
                lambda options: options.escalation_headings,
            )
        ),
    ),
)
