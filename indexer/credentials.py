"""Secrets that stand in a text: keys, tokens, passwords. What is known by its shape, and what is said to be one.

A table of our own, since entropy takes host names and hashes for secrets. Placeholders are none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LEAST_PASSWORD, _LEAST_KEY = 6, 16

# How a secret is named. A short word counts by itself or within a name (DB_PWD, clientSecret), not within another
# word (compass, secretary).
_WORD = r"passwor[dt]|passwd|passphrase|passcode|kennwort"
_KEY = r"(?:api|access|account|shared|encryption)[_ -]?key"
_NAME = rf"(?P<name>(?i:{_WORD}|{_KEY})|(?<![A-Za-z])(?i:pwd|pass|pw|pin|secret|token)|(?<=[a-z])(?:Pwd|Secret|Token))"
_SPACE = r"[ \t]+"
_MARK = r"(?:\*\*|__)?"
_QUOTE = r"(?P<quote>[\"'`“‘]?)"
_VALUE = rf"{_MARK}{_QUOTE}(?P<secret>(?<=[\"'`“‘])[^\s\"'`”’]+|(?:(?!&\w+=)[^\s\"'`”’;,|])+)"
_IS = r"(?i:(?:(?:is|was|be|now|set|changed|reset|to)[ \t]+)+)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one kind of secret is found. A text without any of the ``hints``, in lower case, is not looked at.

    The pattern's group ``secret`` is the secret alone, else all of it is; it looks only so far ahead, so that no text
    takes long. ``said``: it is one only for what stands before it, so that what it looks like decides.
    """

    kind: str
    hints: str
    pattern: re.Pattern[str]
    said: bool = False


def _shape(kind: str, hints: str, pattern: str) -> _Rule:
    return _Rule(kind, hints, re.compile(pattern))


def _said(kind: str, hints: str, pattern: str) -> _Rule:
    return _Rule(kind, hints, re.compile(pattern), said=True)


_RULES = (
    _shape(
        "private key",
        "private key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*+"
        r"(?P<secret>(?:(?m:^[A-Z][\w-]+: (?:(?!-----).)*$)|[A-Za-z0-9+/=\s]){40,}+)(?=-----END|```|~~~|\Z)",
    ),
    # Our own, as kb_service.keys makes them
    _shape("knowledge base key", "kb_", r"\bkb_[a-z2-9]{8}_[\w-]{43}(?![\w-])"),
    _shape("age key", "age-secret", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
    _shape("AWS access key", "akia asia", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    _shape("GitHub token", "gh", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{50,255})\b"),
    _shape("GitLab token", "gl", r"\bgl(?:pat|ptt|dt|rt|ft|soat|cbt)-[\w-]{20,}"),
    _shape("Slack token", "xox xapp", r"\b(?:xox[abeoprs]|xapp-\d)-[0-9A-Za-z-]{20,}"),
    _shape("webhook address", "hooks.slack", r"hooks\.slack\.com/services/(?P<secret>T\w{6,}/B\w{6,}/\w{16,})"),
    _shape("webhook address", "webhookb2", r"\.webhook\.office\.com/webhookb2/(?P<secret>[\w@/-]{60,})"),
    _shape("Stripe key", "k_live k_test", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}\b"),
    _shape("Google API key", "aiza", r"\bAIza[\w-]{35}(?![\w-])"),
    _shape("Google client secret", "gocspx", r"\bGOCSPX-[\w-]{28}(?![\w-])"),
    _shape("Azure client secret", "q~", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
    _shape("Azure account key", "key=", r"\b(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,90}={1,2})"),
    _shape("signed address", "sig= signature=", r"[?&](?:sig|X-Amz-Signature)=(?P<secret>[A-Za-z0-9%+/=]{43,})"),
    _shape("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _shape("PyPI token", "pypi-", r"\bpypi-[\w-]{50,}"),
    _shape("SendGrid key", "sg.", r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}(?![\w-])"),
    _shape("Telegram bot token", ":aa", r"\b\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _shape("OpenAI key", "sk-", r"\bsk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{32,}"),
    _shape("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,40}\b"),
    _shape("Atlassian token", "atatt3", r"\bATATT3[\w=-]{50,}"),
    _shape("Vault token", "hvs. hvb.", r"\bhv[bs]\.[\w-]{24,}"),
    _shape("Docker token", "dckr_pat", r"\bdckr_pat_[\w-]{20,}"),
    _shape("DigitalOcean token", "_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    _shape("Databricks token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    _shape("Grafana token", "glsa_", r"\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b"),
    _shape("Shopify token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    _shape("JSON web token", "eyj", r"\beyJ[\w-]{10,2000}+\.eyJ[\w-]{10,}+\.[\w-]{10,}"),
    _shape("BitLocker recovery key", "-", r"(?<![\d-])(?:\d{6}-){7}\d{6}(?![\d-])"),
    _said("password", "://", r"(?<=\w)://[^\s:/?#@\"'`<>]*:(?P<secret>[^\s/@\"'`]+)@[\w.\[-]"),
    _said(
        "",
        "pass kenn key pw pin secret token",
        rf"{_NAME}[\"'`]?{_MARK}\]?[ \t]*(?:=>|:=|==?|:|\|){_MARK}[ \t]*{_VALUE}",
    ),
    _said(
        "password",
        "pass kenn pw pin",
        rf"(?P<name>(?i:\b(?:{_WORD}|pwd|pw|pin))){_SPACE}(?:\w+{_SPACE}){{0,3}}?{_IS}{_VALUE}",
    ),
    _said("", "-", rf"(?<!\w)--?(?:[a-z]+-)?{_NAME}{_SPACE}{_VALUE}"),
    _said("password", "securestring", rf"\b(?i:ConvertTo-SecureString){_SPACE}(?:-String{_SPACE})?{_VALUE}"),
    _said("password", "mysql maria", rf"\b(?:mysql|mariadb)[^\n|;]{{0,300}}?[ \t]-p{_VALUE}"),
    _said("password", "sshpass", rf"\bsshpass{_SPACE}-p{_SPACE}{_VALUE}"),
    _said(
        "password",
        "curl wget",
        rf"\b(?:curl|wget)\b[^\n|;]{{0,300}}?[ \t](?:-u|--user){_SPACE}[\"']?[\w.@\\-]+:{_VALUE}",
    ),
    _said("password", "net use", rf"(?i:\bnet{_SPACE}use{_SPACE}(?:\S+{_SPACE})?\\\\\S+{_SPACE})(?!/){_VALUE}"),
    _said("password", "net user", rf"(?i:\bnet{_SPACE}user{_SPACE}[\w.-]+{_SPACE})(?!/){_VALUE}"),
    _said(
        "authorization header",
        "authorization bearer",
        r"(?i:\b(?:authorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:bearer|basic|token)|bearer))[ \t]+"
        r"(?P<secret>[\w.~+/=-]{16,})",
    ),
)

_REFERENCE = re.compile(
    r"^[<(\[{].*|\$\{|\{\{|^\$[A-Za-z_(]|%\w+%|^[@!*]|\w\(|<.*>"
    r"|^(?:~|\.{1,2})?/|^[A-Za-z]:\\|^\\\\|^[a-z][\w+.-]*://|^(?:vault|arn|env|file|ref|secret|sha\d+):"
    r"|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}$|^[a-z][a-z0-9_.-]*(?:/[a-z0-9][a-z0-9_.-]*){2,}$",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(
    r"example|placeholder|redacted|dummy|sample|change[-_]?(?:me|it)|^your|my[-_]?(?:password|secret|token|key)"
    r"|x{3,}|\*{2,}|\.{3}|…|_{3,}|-{4,}|#{3,}|•|todo|hidden|masked|insert",
    re.IGNORECASE,
)
# Printed in the documentation of those who made them
_PUBLISHED = (
    "JBSWY3DPEHPK3PXP",
    "eyJzdWIiOiIxMjM0NTY3ODkwIiw",
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "Eby8vdM02xNOcqFlqUwJPLlmEtl",
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret in a text: what kind, and the characters ``start`` to ``end`` that are the secret itself."""

    kind: str
    start: int
    end: int


def credentials_in(text: str) -> list[Credential]:
    """The secrets a text holds, in order, none overlapping another.

    Placeholders (``<password>``, ``{{token}}``, ``$PASSWORD``, ``xxxxx``, ``changeme``) and keys that the documentation
    of their makers prints are none.
    """
    found: list[Credential] = []
    lowered, taken = text.lower(), bytearray(len(text))
    for rule in _RULES:
        if any(hint in lowered for hint in rule.hints.split()):
            for one in _found_by(rule, text):
                # Those known by shape come first: they name the kind best
                if not any(taken[one.start : one.end]):
                    taken[one.start : one.end] = b"\1" * (one.end - one.start)
                    found.append(one)
    return sorted(found, key=lambda one: one.start)


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """A text on one line that may be shown: without ``known`` secrets, and without what is one by its look."""
    text = " ".join(text.split())
    for secret in known:
        text = text.replace(" ".join(secret.split()), "…")
    for one in reversed(credentials_in(text)):
        text = f"{text[: one.start]}…{text[one.end :]}"
    return text


def _found_by(rule: _Rule, text: str) -> Iterator[Credential]:
    for match in rule.pattern.finditer(text):
        groups = match.groupdict()
        start, end = match.span("secret" if "secret" in groups else 0)
        end = start + len(text[start:end].rstrip())
        name = (groups.get("name") or "").lower()
        while rule.said and not groups.get("quote") and end > start and text[end - 1] in ".,:)*\\":
            end -= 1
        secret, kind = text[start:end], rule.kind or _kind_of(name)
        if not _is_placeholder(secret) and (_is_like_one(kind, name, secret) if rule.said else _adds_up(kind, secret)):
            yield Credential(kind, start, end)


def _kind_of(name: str) -> str:
    return next((kind for kind in ("key", "token", "secret") if kind in name), "password")


def _is_placeholder(secret: str) -> bool:
    published = any(known in secret for known in _PUBLISHED)
    return published or len(set(secret)) < 3 or _PLACEHOLDER.search(secret) is not None


def _adds_up(kind: str, secret: str) -> bool:
    return kind != "BitLocker recovery key" or all(int(group) % 11 == 0 for group in secret.split("-"))


def _is_like_one(kind: str, name: str, secret: str) -> bool:
    """Whether what stands behind a name such as "password" is a secret, not a variable or the sentence's next word."""
    if _REFERENCE.search(secret):
        return False
    has_letter, has_digit = any(map(str.isalpha, secret)), any(map(str.isdigit, secret))
    if name == "pin":
        return secret.isdecimal() and 4 <= len(secret) <= 8
    if kind == "password":
        odd = any(not letter.isalnum() and letter not in "-_'./:" for letter in secret)
        return len(secret) >= _LEAST_PASSWORD and has_letter and (has_digit or odd)
    return len(secret) >= _LEAST_KEY and has_letter and has_digit
