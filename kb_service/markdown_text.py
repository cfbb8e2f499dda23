"""Plain text, as people and programs write it into tickets, as Markdown that shows the same text."""

import re

# What the parser reads inside a line: escapes, code, emphasis, links and their definitions, addresses, entities. A star
# or an underline between blanks is text, and so is an underline inside a word
_INLINE = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|\Z)|`|(?<=[^ ])\*|\*(?=[^ ])|(?<!\w)_+|(?<!_)_++(?!\w)|~(?=~)|(?<=\])[(:]"
    r"|<(?=[^<> ]*[:@])|&(?=#?\w+;)"
)
# What it reads where a line, or the text of an item, begins: numbers, headings, rules, tables, items, quotes,
# definitions, boxes, tasks
_START = re.compile(
    r"\A(?:\d{1,9}(?=[.)](?: |\Z))"
    r"|(?=#{1,6}(?: |\Z)|=+\Z|[-:|][-:| ]*\Z|[-+*](?: |\Z)|>|[:~] |:{3}|!{3}|\?{3}|\[[ xX]\](?: |\Z)))"
)
_MARK = re.compile(r"(?P<sign>[-+*]|(?P<number>[1-9]\d{0,8})(?P<end>[.)])) +")
# The parser reads each as a space
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def as_markdown(text: str) -> str:
    """The text as paragraphs, bullets and numbered steps, with others inside of these; everything else is words.

    A number that a list would show as another one ("14." above "21.") is words, too.
    """
    lines: list[str] = []
    # Of the open item: how far it stood from the margin, and how far its text does now; 0 where none is open
    stood = inside = 0
    # The sign that the open list goes on with, in the text and in the item
    following: list[str | None] = [None, None]
    for given in _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).expandtabs(4).split("\n"):
        words, below_blank = given.strip(), not lines or not lines[-1]
        if not words:
            lines += [] if below_blank else [""]
            continue
        indent = len(given) - len(given.lstrip())
        level = int(inside > 0 and indent >= stood + 2)
        mark = _MARK.match(words)
        if mark and mark["number"] and mark["sign"] != following[level]:
            # Below a line of text a number goes on with it, unless it is 1
            begins = following[level] is None and (below_blank or inside or mark["number"] == "1")
            mark = mark if begins else None
        if mark or below_blank:
            following[level:] = [None] * (2 - level)
            inside *= level
        before = " " * inside
        if mark:
            following[level] = f"{int(mark['number']) + 1}{mark['end']}" if mark["number"] else None
            before += f"{mark['sign']} "
            words = words[mark.end() :]
            if not level:
                stood, inside = indent, len(before)
        lines.append((before if mark or level else "") + _as_words(words))
    return "\n".join(lines).strip()


def _as_words(text: str) -> str:
    """One line, so that it begins nothing and holds nothing but words."""
    escaped = _INLINE.sub(lambda match: "".join(f"\\{letter}" for letter in match.group()), text)
    return _START.sub(r"\g<0>\\", escaped)
