"""Secrets in an article: whoever may read it, and whoever has its history, has them. They are never printed."""

from collections.abc import Iterator

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule, each
from indexer.library import Article, Library

_LONG = 20


def _secret(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    line, at = 1, 0
    for found in article.credentials:
        secret = article.text[found.start : found.end]
        line += article.text.count("\n", at, found.start)
        at = found.start
        remedy = "Change it where it is used, and say here where it is kept: git keeps what was once committed"
        yield Fault(article.path, line, f"a secret in the text: {found.kind} {masked(secret)}", remedy)


def masked(secret: str) -> str:
    """What may be shown of a secret to find it: how long it is; of a long one, the first characters."""
    return f"{secret[:4]}… ({len(secret)} characters)" if len(secret) >= _LONG else f"({len(secret)} characters)"


RULES = (
    Rule(
        "secret",
        "error",
        "A key, token or password in text, code or front matter. Placeholders such as `<password>` are none.",
        Example("The password is Winter2024!", "The password is in the vault under `desk/printer`."),
        each(_secret),
    ),
)
