"""Abbreviations that nothing explains: neither the article, nor the glossary, nor what every reader knows."""

import re
from collections.abc import Iterator
from itertools import islice

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule
from indexer.library import Article, Library

# In capitals, by itself: not part of an identifier, a path, a number or a compound such as UTF-8
_ABBREVIATION = re.compile(r"(?<![\w./\\@#$%=~&\[{<-])[A-Z]{2,6}(?=(?:s|'s|’s)?(?![\w\\/@#$%=~&\]}>]|[.:-]\w|-))")
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{2,6}(?=s?(?![A-Za-z]))")
_IN_CAPITALS = re.compile(r"(?:\b[A-Z]{2,}\b[ ,!]*)+")
_WORD = re.compile(r"[^\W\d_]+")
# What a screen says is not the author's to spell out
_QUOTED = re.compile(r"[\"“][^\"“”]{1,200}[\"”]")
_ROMAN = re.compile(r"[IVX]+")
# So many letters before its parentheses a full name begins, and so many abbreviations of one article are looked at
_NEAR, _MOST = 200, 200
_STANDS_FOR = re.compile(r"s?,? (?:is |are |being )?(?:short for|stands? for|means|(?:an|the) abbreviation)\b")
_OPENING = re.compile(r"\((?:short(?: for)?:? )?[\"“]?$")
_ASIDE = re.compile(r"s?[ \n]\(([^()]+)\)")
_NAME_FOLLOWS = re.compile(r"(?:\s*[:=–—\n]|,? (?:is|are) (?:an? |the )?)\s*([^\n]+)")
# What in parentheses refers to something else
_REFERS = re.compile(
    r"(see|as|or|e\.g|i\.e|for|which|if|when|step|and|not|only|page|in|on|by|usually|at)\b", re.IGNORECASE
)

# What readers of a service desk's articles know, or can tell from the sentence
_KNOWN = frozenset(
    """
    HTTP HTTPS DNS DNSSEC DHCP TCP UDP IP ICMP SSH SSL TLS FTP SFTP SMTP IMAP POP LAN WAN WLAN VLAN VPN NAT NTP MAC URL
    URI SNMP SMB NFS RDP VNC SIP DSL ISP CDN API REST SOAP RPC MTU TTL ARP BGP FQDN LTE SIM APN NFC SSID WPA WEP

    USB CPU GPU RAM ROM SSD HDD BIOS UEFI PC TV LED LCD HDMI VGA DVI PCI SATA RAID NAS SAN VM KVM UPS SD CD DVD DPI PXE
    TPM IMEI PIN PUK QR OCR FAX POE LUN MBR GPT EFI NTFS XFS ZFS FAT KB MB GB TB PB HZ MHZ GHZ

    OS PS GUI UI UX CLI SDK IDE SQL DB PID UID GID GUID UUID ID DLL EXE MSI CSV XML JSON YAML TOML HTML CSS JPG JPEG
    PNG GIF SVG PDF ZIP TAR ISO ASCII UTF RFC IEEE ANSI CI QA CMS CRM ERP ETL CRON LTS AI ML LLM IT ICT BYOD MDM WMI
    UAC GPO OU DC AD LDAP SAML SSO MFA OTP SMS TOTP OIDC ACL CA CSR CRL OCSP PKI PEM AES RSA SHA GPG PGP SPF DKIM DMARC
    BCC CC

    AWS IBM SAP HP AMD ARM DELL ASUS SUSE AIX GNU UNIX LINUX IOS JIRA

    HR CEO CTO CIO CFO CISO PR FAQ EU US USA UK UN GDPR ITSM VAT EUR USD GBP CHF

    AM PM UTC GMT CET CEST EET BST EST EDT CST CDT MST PST PDT IST JST MON TUE WED THU FRI SAT SUN JAN FEB MAR APR JUN
    JUL AUG SEP SEPT OCT NOV DEC

    CTRL ALT DEL ESC TAB ENTER SHIFT FN INS HOME END GET POST PUT PATCH HEAD NULL TRUE FALSE EOF
    """.split()
)
# Words in capitals for emphasis, and levels of logs
_SHOUTED = frozenset(
    """
    NOT NO NEVER ALWAYS MUST DO DONT ONLY AND OR ALL ANY EVERY BEFORE AFTER FIRST LAST NOW ON OFF OK YES TODO NOTE STOP
    START DANGER READ WRITE THIS THAT THE IF THEN ELSE WITH FROM TO IN OUT UP DOWN NEW OLD OPEN CLOSED IS ARE BE WILL
    SHALL FOR BY AT OF AN IT WE YOU ME MY HERE WAIT CALL TIP INFO DONE FAIL PASS ERROR HIGH LOW SAVE BACK WARN FATAL
    DEBUG TRACE ALERT LOT VERY
    """.split()
)


def _undefined_abbreviation(library: Library, options: Options) -> Iterator[Fault]:
    known = _KNOWN | _SHOUTED | set(options.known_abbreviations) | _defined(library)
    for article in library.articles.values():
        if article.knowledge.workflow_state == "retired":
            continue
        whole = _whole(article)
        unknown = ((short, line) for short, line in _abbreviations(article).items() if short not in known)
        for short, line in islice(unknown, _MOST):
            if not _is_expanded(short, whole):
                what = f"'{short}' is explained neither here nor in the glossary"
                remedy = f"Write it out once, as in 'full name ({short})', or define it in the glossary"
                yield Fault(article.path, line, what, remedy)


def _defined(library: Library) -> set[str]:
    """What the glossary has names for, and the services' names."""
    names: set[str] = set()
    for article in library.articles.values():
        knowledge = article.knowledge
        names |= {service.upper() for service in knowledge.services}
        if knowledge.type == "glossary" and knowledge.workflow_state != "retired":
            terms = (block.cells[0] for section in article.sections for block in section.blocks if block.cells)
            headings = (section.title for section in article.sections)
            names.update(_NAME.findall(" ".join([knowledge.title, *knowledge.aliases, *headings, *terms])))
            whole = _whole(article)
            names.update(short for short in islice(_abbreviations(article), _MOST) if _is_expanded(short, whole))
    return names


def _abbreviations(article: Article) -> dict[str, int]:
    """What of an article looks like an abbreviation, with the line where it comes first."""
    found = {match[0]: article.line_of_title() for match in _ABBREVIATION.finditer(article.knowledge.title)}
    for prose in article.prose:
        written = _QUOTED.sub(_blank, _IN_CAPITALS.sub(_blank_if_shouted, prose.text))
        for match in _ABBREVIATION.finditer(written):
            if match[0] not in found and not _ROMAN.fullmatch(match[0]):
                found[match[0]] = prose.line_at(match.start())
    return found


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _blank_if_shouted(match: re.Match[str]) -> str:
    """Several words in capitals with plain ones among them are no abbreviations: DO NOT UNPLUG."""
    return match[0] if _SHOUTED.isdisjoint(_WORD.findall(match[0])) else _blank(match)


def _whole(article: Article) -> str:
    return "\n".join([article.knowledge.title, article.knowledge.summary, *(prose.text for prose in article.prose)])


def _is_expanded(short: str, text: str) -> bool:
    """Whether a text has ``full name (SHORT)``, ``SHORT (full name)``, ``SHORT: full name``, or what it stands for."""
    for at in islice(_places(short, text), _MOST):
        before, after = text[max(0, at - _NEAR) : at], text[at + len(short) : at + len(short) + _NEAR]
        opening, aside, name = _OPENING.search(before), _ASIDE.match(after), _NAME_FOLLOWS.match(after)
        if (
            _STANDS_FOR.match(after)
            or (aside and len(aside[1].split()) > 1 and not _REFERS.match(aside[1]))
            or (opening and _may_stand_for(short, _WORD.findall(before[: opening.start()])[-2 * len(short) - 1 :]))
            or (name and _may_stand_for(short, _WORD.findall(name[1])[: len(short) + 2]))
        ):
            return True
    return False


def _places(short: str, text: str) -> Iterator[int]:
    at = text.find(short)
    while at >= 0:
        if not text[at - 1 : at].isalnum() and not text[at + len(short) : at + len(short) + 1].isupper():
            yield at
        at = text.find(short, at + 1)


def _may_stand_for(short: str, words: list[str]) -> bool:
    """Whether words hold the abbreviation's letters in order, at least half of them as first letters."""
    letters = iter("".join(words).casefold())
    initials = iter(word[0].casefold() for word in words)
    in_order = all(letter in letters for letter in short.casefold())
    return in_order and 2 * sum(letter in initials for letter in short.casefold()) >= len(short)


RULES = (
    Rule(
        "undefined-abbreviation",
        "warning",
        "An abbreviation that the article and the glossary leave unexplained, and not in `known_abbreviations`.",
        Example("Ask the ZDX team.", "Ask the zone data exchange (ZDX) team."),
        _undefined_abbreviation,
    ),
)
