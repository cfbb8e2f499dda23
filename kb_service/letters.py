"""What a ticket that came in as a letter is about: without head, greeting, courtesy, signature and disclaimer.

These say nothing of the matter, and take as much of a query's words and meaning as the matter does. Only what stands at
the beginning and at the end is left out, and only what surely is such; a text of nothing else stays as it is.
"""

import re
from collections.abc import Sequence

# A letter of more is no letter
_MOST_LETTERS = 20_000
_FLAGS = re.IGNORECASE


def _any_of(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


# Lines of a head, of which there are several; its subject is of the matter
_HEAD = re.compile(
    r"[ \t]*(?:(from|von|de|da|van)|(subject|betreff|objet|asunto|oggetto|onderwerp)|"
    r"sent|to|cc|bcc|date|gesendet|an|datum|envoyé|à|para|enviado|inviato|a|verzonden|aan)[ \t]*:[ \t]*(.*)",
    _FLAGS,
)
_PASSED_ON = re.compile(r"\s*(?:(?:re|fwd?|aw|wg|tr|rv|sv|antw)[ \t]*:[ \t]*)+", _FLAGS)
_GREETING = _any_of(
    r"hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)",
    r"hallo|moin|servus|guten (?:tag|morgen|abend)|sehr geehrter?|lieber?|werter?",
    r"bonjour|bonsoir|salut|chère?s?|hola|buen[oa]s (?:días|tardes|noches)|estimad[oa]s?",
    r"ciao|salve|buongiorno|buonasera|gentil[ei]|goede(?:morgen|middag|navond|ndag)|beste|geachte",
)
# Who is greeted by no name
_ADDRESSED = _any_of(
    r"all|everyone|everybody|there|team|folks|guys|colleagues?|support|it|(?:(?:help|service) ?)?desk",
    r"sir|madam|or|and",
    r"alle|zusammen|damen|herren|und|kolleg(?:e|in|en|innen)|kundendienst|frau|herr|dr|mr|mrs|ms",
    r"tous|toutes|madame|monsieur|messieurs|et|équipe|a|todos|equipo|señores|tutti|signori",
    r"allemaal|collega(?:'s)?|heer|mevrouw",
)
_NAME = r"[A-ZÀ-Ý][a-zß-ÿ'’-]+|[A-Z]"
_BEGINNING = re.compile(
    rf"\s*(?i:{_GREETING})(?:[ \t]+(?:(?i:{_ADDRESSED})\b|{_NAME})\.?){{0,4}}[ \t]*(?:,|[!.;:–-]+(?=\s)|\n)\s*"
)
# Thanked is at the end, or for what can only be courtesy
_NO_MORE = r"[,!.;]?(?:\W+\w+){0,3}\W*$"
_ASKED = r"(?: (?:into|at|on|with|me|us|this|it|please|asap|urgently|as soon as possible))*\W*$"
_COURTESY = re.compile(
    _any_of(
        r"(?:i |we )?hope (?:you|this|all|everything)\b|how are you\b|much appreciated|have a (?:nice|good|great)\b",
        rf"(?:many )?(?:thanks|thank you|thx|ty)(?:{_NO_MORE}| (?:a lot|so much|very much|again|in advance)\b)",
        r"(?:thanks|thank you) for (?:your|any|the|all) (?:kind |quick )?(?:help|support|assistance|time|attention)\b",
        rf"please (?:help|advise|assist){_ASKED}|(?:please )?(?:let (?:me|us) know|do not hesitate)\b",
        r"(?:i |we )?look(?:ing)? forward\b|(?:any|your) (?:help|advice|assistance|support)\b.{0,40}\bappreciated",
        rf"(?:could|can|would) (?:you|some(?:body|one)|any(?:body|one)) (?:please )?(?:help|assist|look|check){_ASKED}",
        r"(?:it|this) is (?:very |rather |quite |really )?urgent(?: for (?:me|us))?\W*$",
        r"(?:ich |wir )?hoffen?,? (?:es|ihnen|euch|dir|sie)\b|(?:einen )?schönen tag\b",
        rf"(?:vielen |besten |herzlichen )?danke?(?:{_NO_MORE}| im voraus\b| für (?:ihre|eure|deine|die) hilfe\b)",
        r"bitte um (?:hilfe|rückmeldung|unterstützung)\W*$|n'hésitez pas\b",
        rf"merci(?:{_NO_MORE}| (?:d'avance|beaucoup|pour votre aide)\b)",
        rf"(?:muchas )?gracias(?:{_NO_MORE}| (?:de antemano|por su ayuda)\b)",
        rf"grazie(?:{_NO_MORE}| (?:mille|in anticipo)\b)|(?:(?:alvast )?bedankt|dank (?:je|u)){_NO_MORE}",
    ),
    _FLAGS,
)
_MOST_COURTESY_WORDS = 25
_THANKS = r"(?:many )?thanks|thank you|(?:vielen )?danke?|merci|gracias|grazie|bedankt"
_CLOSING = re.compile(
    rf"(?:(?:{_THANKS})(?:,| and| &| und| et| y| e| en) )?"
    + _any_of(
        r"(?:with )?(?:(?:kind|kindest|best|warm|warmest) )?regards|(?:all the )?best(?: wishes)?|cheers|br|rgds",
        r"sincerely|yours(?: sincerely| truly| faithfully)?",
        r"(?:many )?thanks(?: a lot| so much| again| in advance)?|thank you(?: (?:very|so) much)?|thx",
        r"(?:mit )?(?:viele|liebe|beste|freundliche|schöne)n? grü(?:ß|ss)en?|(?:schönen |lieben )?gru(?:ß|ss)",
        r"mfg|vg|lg",
        r"(?:vielen |besten )?danke?(?: im voraus)?|(?:bien )?cordialement|bien à vous|(?:sincères )?salutations",
        r"merci(?: d'avance)?|saludos(?: cordiales)?|un saludo|atentamente|gracias|(?:(?:cordiali|distinti) )?saluti",
        r"grazie|(?:(?:met )?vriendelijke )?groet(?:en|jes)?|mvg|bedankt",
    )
    + r"[ \t,.!;:–-]*",
    _FLAGS,
)
_DELIMITER = re.compile(
    r"--\s*|_{5,}|(?:sent from|get outlook for|von meinem|envoyé de mon|enviado desde mi|inviato da) .*", _FLAGS
)
_DISCLAIMER = re.compile(
    r"confidential|intended recipient|disclaimer|think before|consider the environment"
    r"|vertraulich|adressat|confidentiel|destinataire|confidencial|riservat|vertrouwelijk",
    _FLAGS,
)
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
# "LG" is a closing, and a maker of screens
_SHORT = 4
# A line of a signature is a name, a role, a number, an address; no sentence, no heading, no log, no postscript
_MOST_SIGNATURE_LINES, _MOST_SIGNATURE_LETTERS = 14, 90
_NO_SIGNATURE = re.compile(
    r"\d:\d\d:\d\d|0x[0-9a-f]|^p\.? ?s\b|\b(?:error|fail|except|denied|refused|cannot|can't|unable|fehler|erreur)"
    r"|[?:]$|(?<!ltd)(?<!inc)(?<!str)(?<!co)\.$",
    _FLAGS,
)


def matter_of(text: str) -> str:
    """The text without what a letter has around its matter."""
    if len(text) > _MOST_LETTERS:
        return text
    subject, written = _head_and_rest(text)
    greeting = _BEGINNING.match(written)
    body = _without_courtesy(_without_signature(written[greeting.end() if greeting else 0 :]))
    # In one line: a subject by itself is often no more than "Problem"
    body = f"{subject}: {body}" if subject else body
    if not re.search(r"\w", body):
        return text
    return body if text.endswith(body) else body.rstrip()


def _head_and_rest(text: str) -> tuple[str, str]:
    """The subject of a letter that stands there with its head, and what is below that."""
    lines = text.lstrip().split("\n")
    found = []
    for line in lines:
        match = _HEAD.fullmatch(line.rstrip("\r"))
        if match is None:
            break
        found.append(match)
    if len(found) < 2 or not any(one[1] or one[2] for one in found):
        return "", text[passed_on.end() :] if (passed_on := _PASSED_ON.match(text)) else text
    subject = next((one[3].strip() for one in found if one[2]), "")
    return _PASSED_ON.sub("", subject, count=1), "\n".join(lines[len(found) :]).lstrip()


def _without_signature(text: str) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and _closes(line.strip(), lines[number - 1].strip()):
            rest = lines[number + 1 :]
            return "\n".join([*lines[:number], *rest[_length_of_signature(rest) :]])
    return text


def _closes(line: str, before: str) -> bool:
    """Whether a signature follows; a short line below words without an end may be one of a list."""
    if _DELIMITER.fullmatch(line):
        return True
    is_ambiguous = len(line) <= _SHORT and not before.endswith((".", "!", "?")) and before != ""
    return _CLOSING.fullmatch(line) is not None and not is_ambiguous


def _length_of_signature(lines: Sequence[str]) -> int:
    """How many of these lines are a signature, with what a mail server puts below it."""
    written = 0
    for number, line in enumerate(lines):
        said = line.strip()
        written += bool(said)
        is_short = len(said) <= _MOST_SIGNATURE_LETTERS and written <= _MOST_SIGNATURE_LINES
        if not _DISCLAIMER.search(said) and (not is_short or _NO_SIGNATURE.search(said)):
            return number
    return len(lines)


def _without_courtesy(text: str) -> str:
    """Without the sentences of courtesy that it begins and ends with."""
    ends = [*(found.end() for found in _BETWEEN_SENTENCES.finditer(text)), len(text)]
    starts = [0, *ends[:-1]]
    first, last = 0, len(ends)
    while first < last and _is_courtesy(text[starts[first] : ends[first]]):
        first += 1
    while first < last and _is_courtesy(text[starts[last - 1] : ends[last - 1]]):
        last -= 1
    return text[starts[first] : ends[last - 1]] if first < last else ""


def _is_courtesy(sentence: str) -> bool:
    said = sentence.strip()
    if len(said.split()) > _MOST_COURTESY_WORDS or re.search(r"\d", said):
        return False
    return not said or _COURTESY.match(said) is not None
