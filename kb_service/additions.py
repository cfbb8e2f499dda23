"""What an incident adds to an article that already answers it: the sentences and codes that the article has not."""

import re
from dataclasses import dataclass

from indexer.identifiers import identifiers, is_code
from indexer.knowledge import KnowledgeObject
from indexer.language import Language
from indexer.terms import name_terms
from kb_service.incident import Incident
from kb_service.redaction import MARK

# A sentence is new where at least so many of its telling words are, and so large a share of them
LEAST_NEW_WORDS = 2
LEAST_NEW_SHARE = 0.4
MOST_SENTENCES = 4
_TICKET = re.compile(r"\b(?:inc|prb|chg|ritm|req|task|cs|kb)\d+\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Additions:
    """What was seen, what helped, and which codes were shown, as far as the article does not say it."""

    seen: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.seen or self.helped or self.codes)


def additions(incident: Incident, article: KnowledgeObject, language: Language) -> Additions:
    """Compare a redacted incident with an article, by words: a sentence that says the same in others counts as new."""
    text = "\n".join((article.title, article.summary, *article.aliases, article.body))
    said, known_codes = frozenset(name_terms(text, language)), identifiers(text)
    codes = sorted(
        code for code in identifiers(incident.text) - known_codes if is_code(code) and not _TICKET.match(code)
    )
    shown = (re.search(re.escape(code), incident.text, re.IGNORECASE) for code in codes)
    return Additions(
        _new(incident.text, said, language),
        _new("\n".join((incident.workaround, incident.close_notes)), said, language),
        tuple(match.group() for match in shown if match),
    )


def _new(text: str, said: frozenset[str], language: Language) -> tuple[str, ...]:
    found = []
    for sentence in filter(None, map(str.strip, _SENTENCE.split(text))):
        own = set(name_terms(_TICKET.sub(" ", MARK.sub(" ", sentence)), language))
        new = own - said
        if len(new) >= LEAST_NEW_WORDS and len(new) >= LEAST_NEW_SHARE * len(own):
            found.append(sentence)
    return tuple(dict.fromkeys(found))[:MOST_SENTENCES]
