"""What a good article of each type answers, section by section, and which of its lines are still only that question.

The sections are those of our own content and of Knowledge-Centered Service. Guidance is told from an author's text by
the pencil before it: a line that has one is yet to be written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from indexer.frontmatter import KnowledgeType
from indexer.markdown import parse_markdown

PENCIL = "✎"
_BEFORE_TEXT = re.compile(r"[\s>*+-]*(?:\d+[.)]\s*)?")


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an article: its heading (none for what stands first), and what it has to answer."""

    heading: str
    guidance: tuple[str, ...]


SKELETONS: Mapping[KnowledgeType, tuple[Section, ...]] = {
    "runbook": (
        Section(
            "Symptoms",
            (
                "What does the user see, or which alert fires? Quote error texts and codes exactly as they are shown.",
                "Who is affected, since when, and what looks alike but is something else?",
            ),
        ),
        Section(
            "Before you start",
            ("Which rights, tools and approvals are needed? What must be asked or noted before anything is changed?",),
        ),
        Section(
            "Diagnosis",
            (
                "Which check tells the causes apart? One per line, with what it shows and what to do then.",
                "Leave the section out where the first step says enough.",
            ),
        ),
        Section(
            "Steps",
            (
                "Numbered, one action each, with what one sees when it worked. Commands in code blocks, tried out.",
                "Mark what cannot be undone before the step that does it.",
            ),
        ),
        Section(
            "Verification", ("How does one know that it works again, also for the user, and for how long to watch?",)
        ),
        Section("Rollback", ("How is each change taken back, in which order? If nothing has to be, say so.",)),
        Section(
            "Escalation",
            ("When does one stop trying, whom does one call, and what do they need to know (times, outputs, ids)?",),
        ),
    ),
    "known-error": (
        Section(
            "Symptoms",
            (
                "The exact error text or code, as users see it, and what they were doing.",
                "Which versions, devices or sites have it, and which have not?",
            ),
        ),
        Section("Cause", ("What is known to go wrong, and how was that found? If only supposed, say so.",)),
        Section(
            "Workaround",
            ("How does the user go on working, step by step? What does it cost, and how is it taken back later?",),
        ),
        Section(
            "Permanent fix",
            ("What ends it for good, who does that, by when? Name the problem record or change that follows it.",),
        ),
    ),
    "faq": (
        Section(
            "",
            (
                "The answer in the first sentence, in the words of those who ask. The title is the question.",
                "Then the steps, if there are any, numbered.",
            ),
        ),
        Section(
            "What must I do afterwards?",
            ("What changes for the reader, and what else needs doing? Else leave it out.",),
        ),
        Section(
            "When do I call the service desk?",
            ("Where does self-help end? What should the reader have at hand when calling?",),
        ),
    ),
    "howto": (
        Section("Before you start", ("What must be there: rights, tools, decisions? How long does it take?",)),
        Section("Steps", ("Numbered, one action each, with what one sees when it worked.",)),
        Section("Verification", ("How does one know that it is done right?",)),
    ),
    "glossary": (
        Section("", ("What it is, in one sentence that can stand alone. Spell an abbreviation out.",)),
        Section("In practice", ("What does one do with it here, at this desk? An example with numbers or names.",)),
        Section("Not to be confused with", ("Which term is near, and what is the difference? Else leave it out.",)),
    ),
    "template": (
        Section("", ("When is it used, by whom, sent to whom? When is it not used?",)),
        Section(
            "Text",
            ("The text to be copied, in a code block; what is to be filled in stands in brackets: [Ticket Number].",),
        ),
        Section("Before you send", ("What must be checked first? A list of boxes: - [ ] …",)),
    ),
    "policy": (
        Section("", ("The rule in one or two sentences: what applies, to whom, since when.",)),
        Section(
            "Rules", ("One rule per line, each so that one can tell whether it was kept. Times and limits in a table.",)
        ),
        Section("Who decides", ("Who may grant an exception, and whom does one ask? Roles, not persons.",)),
        Section("Measures", ("How is it seen that the rule is kept, by whom, how often? Else leave it out.",)),
    ),
}


def body_of(kind: KnowledgeType, known: Mapping[str, str] | None = None) -> str:
    """An article's body: what is ``known`` already by heading, and below it what is still to be written."""
    parts = []
    for section in SKELETONS[kind]:
        guidance = "\n".join(f"> {PENCIL} {line}" for line in section.guidance)
        heading = f"## {section.heading}" if section.heading else ""
        parts += [heading, (known or {}).get(section.heading, ""), guidance]
    return "\n\n".join(filter(None, parts)) + "\n"


def guidance_left(body: str) -> list[int]:
    """The lines of a body, from 1, that still are a skeleton's text: with the pencil, or word for word without it.

    What stands in code is an example, not guidance.
    """
    lines = enumerate(body.split("\n"), 1)
    left = [number for number, line in lines if _is_guidance(_BEFORE_TEXT.sub("", line, count=1).strip())]
    code = {
        line + 1
        for token in (parse_markdown(body).tokens if left else ())
        if token.type in {"fence", "code_block"} and token.map
        for line in range(*token.map)
    }
    return [number for number in left if number not in code]


_GUIDANCE = frozenset(line for sections in SKELETONS.values() for section in sections for line in section.guidance)


def _is_guidance(text: str) -> bool:
    return text.startswith(PENCIL) or text in _GUIDANCE
