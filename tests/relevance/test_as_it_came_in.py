"""What a ticket is about is found as well when it came in as a letter, in HTML, or as an alert in JSON."""

import json
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np
import pytest

from indexer import Encoder
from kb_service.measures import measure
from kb_service.query import Query
from tests.conftest import EVAL
from tests.relevance.sets import ARTICLES, Development

pytestmark = [
    pytest.mark.relevance,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the labelled sets are not at {EVAL}: nothing of them was asked"),
]
# Of each set some hundred queries
EACH = 120
# Of nDCG@10. Not read as what they are, HTML costs up to 0.05, JSON 0.11 and a signature 0.02
MOST_LOST = 0.015


def with_signature(text: str) -> str:
    return (
        f"Hi team,\n\nhope you are all doing well. {text}\n\n"
        "Thanks a lot in advance for your help, please let me know if you need any further information.\n\n"
        "Kind regards,\nJane Miller\nSenior Accountant, Finance Department\nPhone: +49 30 1234567\n\n"
        "This e-mail may contain confidential information. If you are not the intended recipient please delete it."
    )


def in_german(text: str) -> str:
    return f"Guten Tag zusammen,\n{text}\nDanke und viele Grüße\n\nSabine Krüger\nPersonalabteilung\nDurchwahl 4711"


def with_head(text: str) -> str:
    return (
        "From: Jane Miller <jane.miller@example.com>\nSent: Monday, 5 October 2026 09:13\nTo: Service Desk"
        f" <servicedesk@example.com>\nCc: Tom Becker <tom.becker@example.com>\nSubject: Problem\n\n{text}"
    )


def in_html(text: str) -> str:
    lines = "".join(
        f'<p class="MsoNormal"><span style="font-size:11.0pt;color:#1F497D">{escape(line).replace(" ", "&nbsp;", 2)}'
        "<o:p></o:p></span></p>"
        for line in text.split("\n")
        if line.strip()
    )
    style = '<style>p.MsoNormal{margin:0;font-family:"Calibri",sans-serif}</style>'
    return f'<html><head>{style}</head><body lang="EN-GB"><div class="WordSection1">{lines}</div></body></html>'


def in_json(text: str) -> str:
    alert = {
        "status": "firing",
        "labels": {"severity": "critical", "cluster": "prod-eu-1", "team": "platform"},
        "annotations": {"description": text},
        "startsAt": "2026-11-28T01:02:03.000Z",
        "fingerprint": "ab12cd34ef56",
    }
    return json.dumps({"receiver": "servicedesk", "alerts": [alert], "externalURL": "http://alerts:9093"}, indent=1)


FORMS: tuple[Callable[[str], str], ...] = (with_signature, in_german, with_head, in_html, in_json)


@pytest.mark.parametrize("development", ARTICLES, ids=lambda one: one.name)
def test_the_form_costs_next_to_nothing(development: Development, encoder: Encoder, model_cache: Path) -> None:
    with development.searcher(encoder, model_cache) as (labelled, searcher, _):
        queries = labelled.queries[:: len(labelled.queries) // EACH]

        def mean(form: Callable[[str], str]) -> float:
            found = (searcher.rank(Query(form(query.text), exclude=query.exclude)).ranked.ids for query in queries)
            measured = (measure(ids, labelled.relevant[one.id]) for ids, one in zip(found, queries, strict=True))
            return float(np.mean([one["ndcg@10"] for one in measured]))

        plain = mean(str)
        lost = {form.__name__: round(plain - mean(form), 4) for form in FORMS}
    print(f"\n{development.name}: {plain:.3f}, less {lost}")
    assert max(lost.values()) <= MOST_LOST
