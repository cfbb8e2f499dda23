"""How an article is put together and asked for: heading levels, sections short enough to be found, a FAQ's question."""

import re
from collections.abc import Iterator

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule, current
from indexer.library import Article, Library
from indexer.markdown import Section

# As a word-piece tokenizer cuts: a common word is one token, a long or rare one some, a sign one
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_WHOLE_WORD, _PIECE = 7, 6

_QUESTION_WORDS = frozenset(
    """
    how what why when where who whom whose which can could do does did is are am was were may might must should shall
    will would has have had i my we our you your cannot can't
    """.split()
)
# A question of these alone could be asked of anything
_SAYS_NOTHING = _QUESTION_WORDS | frozenset(
    """
    a an the this that these those it its they them he she me us be been being to of in on at by for from with about as
    and or if not no yes so then than there here also more most some any all get got go work works working use used
    using need needs want help please mean means know happen happens happening next now again thing things something
    anything stuff problem problems issue issues question questions information info details other others general make
    made done possible way much many long often best right wrong one else look like say said
    """.split()
)
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")

_COUNTED = re.compile(r"^\W*(questions?|faqs?|q|item|entry|topic|part|no\.?|nr\.?)?\s*[#.:-]?\s*\d+\W*$", re.IGNORECASE)
_LABEL = re.compile(
    r"^\W*((questions?|faqs?|q)\s*[#.:-]?\s*\d+\b|(faqs?|questions?|q)\s*[:-]|q\s*&\s*a\b"
    r"|(general|further|other|more|additional|misc\w*|various|basic|important)\s+(information|info|questions?|topics?|"
    r"notes?|things|matters|help|faqs?)\b|(information|miscellaneous|misc|overview|introduction|about|help|faqs?|"
    r"frequently asked questions|basics|general|notes?)\W*$)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\W*([A-Z]{2,}[-_ ]?\d{2,}|\d+(\.\d+)+)\b")
_ASK = "Write the question as a user would type it"


def _skipped_heading(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    above = 1  # the title
    for section, line in zip(article.sections, article.section_lines, strict=True):
        if section.level > above + 1:
            what = f"'{section.title}' is of level {section.level}, below one of level {above}"
            yield Fault(article.path, line, what, f"Make it '{'#' * (above + 1)} {section.title}'")
        above = section.level or above


def _long_section(article: Article, _library: Library, options: Options) -> Iterator[Fault]:
    for section, line in zip(article.sections, article.section_lines, strict=True):
        tokens = sum(map(estimated_tokens, _texts(article, section)))
        if tokens > options.section_most_tokens:
            name = f"'{section.title}'" if section.level else "the text before the first heading"
            what = f"{name} has some {tokens} tokens, {options.section_most_tokens} at most can be found by one heading"
            yield Fault(article.path, line, what, "Part it by headings that say what is below them")


def estimated_tokens(text: str) -> int:
    """How many tokens of the encoder a text takes, within a fifth of what the default model counts."""
    return sum(1 if len(word) <= _WHOLE_WORD else -(-len(word) // _PIECE) for word in _TOKEN.findall(text))


def _texts(article: Article, section: Section) -> list[str]:
    """What is found by a section's heading; a glossary's terms are found by themselves."""
    terms = article.knowledge.type == "glossary"
    return [block.text for block in section.blocks if not (terms and len(block.cells) > 1)]


def _vague_question(article: Article, _library: Library, options: Options) -> Iterator[Fault]:
    if article.knowledge.type != "faq":
        return
    title = article.knowledge.title
    others = [
        (section.title, line)
        for section, line in zip(article.sections, article.section_lines, strict=True)
        if section.level and section.title != title
    ]
    # A page of several questions may be called by their subject
    if sum(heading.endswith("?") for heading, _ in others) < 2 and (problem := _vague(title, options)):
        yield Fault(article.path, article.line_of_title(), *problem)
    for heading, line in others:
        if _COUNTED.search(heading):
            yield Fault(article.path, line, f"'{heading}' is a label, not what somebody asks", _ASK)


def _vague(question: str, options: Options) -> tuple[str, str] | None:
    """Why nobody would type a question, and what to do; None for one that somebody would."""
    words = [word.casefold() for word in _WORD.findall(question)]
    if _LABEL.search(question) or _COUNTED.search(question):
        return f"'{question}' is a label, not what somebody asks", _ASK
    if _NUMBERED.search(question):
        return f"'{question}' starts with a number that nobody types", "Start with the question's words"
    if not question.endswith("?") and (not words or words[0] not in _QUESTION_WORDS):
        return f"'{question}' is not a question", _ASK
    if all(word in _SAYS_NOTHING for word in words):
        return f"'{question}' could be asked of anything", "Name the thing it is about"
    if question.count("?") > 1:
        return f"'{question}' asks more than one thing", "Give each question an article or a heading of its own"
    if len(words) > options.question_most_words:
        what = f"the question has {len(words)} words; over {options.question_most_words} nobody types"
        return what, "Ask shorter, and put the rest into the answer"
    return None


RULES = (
    Rule(
        "skipped-heading",
        "warning",
        "A heading two levels below the one above it; the title is of level 1.",
        Example("## Handover\n\n#### Open tickets", "## Handover\n\n### Open tickets"),
        current(_skipped_heading),
    ),
    Rule(
        "long-section",
        "warning",
        "A section of over `section_most_tokens`: it is cut into pieces that all hide below one heading.",
        Example(
            "## All there is to know\n\n" + "Sort the cables by colour. " * 200, "## Sort the cables\n\nBy colour."
        ),
        current(_long_section),
    ),
    Rule(
        "vague-question",
        "warning",
        "A FAQ that nobody would type: a label, a number, no question, about nothing, over `question_most_words`.",
        Example("title: Question 1", "title: How do I book a meeting room?", "faq/example.md"),
        current(_vague_question),
    ),
)
