"""Every route, and what is asked of it by who may see a part of a generated desk only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.seen_desk import Fields

Requests = Callable[[str, Sequence[str]], list[tuple[str, Any, dict[str, Any]]]]


def _each(path: str, **params: Any) -> Requests:
    return lambda _text, ids: [(path.replace("{id}", one), None, params) for one in ids]


def _asked(path: str, *more: dict[str, Any], name: str = "q") -> Requests:
    return lambda text, _ids: [(path, None, {name: text, **one}) for one in (more or ({},))]


def _sent(path: str, *bodies: Callable[[str, Sequence[str]], list[Any]]) -> Requests:
    return lambda text, ids: [(path, body, {}) for make in bodies for body in make(text, ids)]


def _plain(*paths: str) -> Requests:
    return lambda _text, _ids: [(path, None, {}) for path in paths]


RUNS = [f"run{number}-{place}" for number in (1, 2, 3) for place in range(8)]
EVENTS: Requests = lambda _text, ids: [  # noqa: E731 (one of a table)
    ("/api/suggest/nothing/events", {"event": "opened", "article": one}, {}) for one in ids
]
# Every route is here, so that a new one is asked too: how it is asked, by a text and the ids of all articles
ASKED: Mapping[tuple[str, str], Requests] = {
    ("GET", "/api/search"): _asked(
        "/api/search",
        {}, {"limit": 1}, {"limit": 2, "offset": 1}, {"type": "glossary"}, {"service": "mail"}, {"state": "any"},
        {"state": "draft"}, {"audience": "public"}, {"shown": ["x/1", "x/3"]}, {"audience": "restricted"},
    ),
    ("GET", "/api/complete"): lambda text, _ids: [
        ("/api/complete", None, {"q": text[:size]}) for size in (1, 3, 4, 6, 50)
    ],
    ("GET", "/api/glossary"): _plain("/api/glossary"),
    ("GET", "/api/glossary/{term:path}"): lambda text, _ids: [
        (f"/api/glossary/{word}", None, {}) for word in text.split()
    ],
    ("GET", "/api/articles/{id:path}"): lambda _text, ids: [
        (f"/api/articles/{one}", None, params) for one in ids for params in ({}, {"at": "2027-01-01"}, {"at": "abcdef"})
    ],
    ("GET", "/api/history/{id:path}"): _each("/api/history/{id}"),
    ("GET", "/api/diff/{id:path}"): _each("/api/diff/{id}"),
    ("GET", "/api/incidents"): _asked("/api/incidents", {}, {"state": "open"}, {"service": "mail"}, {"q": "INC1"}),
    ("POST", "/api/incidents"): _plain("/api/incidents"),
    ("GET", "/api/incidents/{number}"): _plain("/api/incidents/INC1", "/api/incidents/INC2", "/api/incidents/INC99"),
    ("PUT", "/api/incidents/{number}"): _sent(
        "/api/incidents/INC1",
        lambda text, _ids: [
            # A record that is new would say when it was opened
            {"short_description": text, "parent_incident": "INC3", "opened_at": "2026-01-01T10:00:00Z"}, {},
        ],
    ),
    ("PATCH", "/api/incidents/{number}"): _sent("/api/incidents/INC2", lambda text, _ids: [{"description": text}]),
    ("GET", "/api/incidents/{number}/related"): _plain("/api/incidents/INC1/related", "/api/incidents/INC99/related"),
    ("GET", "/api/related"): _asked("/api/related", {}, {"service": "printing"}),
    ("POST", "/api/incidents/{number}/articles"): _sent(
        "/api/incidents/INC2/articles", lambda _text, ids: [{"article": one} for one in ids]
    ),
    ("DELETE", "/api/incidents/{number}/articles/{article:path}"): _each("/api/incidents/INC2/articles/{id}"),
    ("POST", "/api/triage"): _sent(
        "/api/triage", lambda text, _ids: [{"number": "INC1"}, {"number": "INC99"}, {"text": text, "service": "mail"}]
    ),
    ("POST", "/api/suggest"): _sent(
        "/api/suggest",
        lambda text, _ids: [
            {"short_description": text}, {"short_description": f"{text} {text}", "service": "mail"},
            {"short_description": text[:5]}, {"short_description": text, "shown": ["x/0", "x/1"]},
        ],
    ),
    ("POST", "/api/suggest/{suggestion_id}/events"): EVENTS,
    ("GET", "/api/deflection"): _plain("/api/deflection"),
    ("POST", "/api/feedback"): _sent(
        "/api/feedback",
        lambda _text, ids: [
            {"article": one, "verdict": verdict, "comment": "so", "number": number}
            for one in ids for verdict, number in (("helped", None), ("flag", "INC1"), ("flag", "INC99"))
        ],
    ),
    ("POST", "/api/clicks"): _sent(
        "/api/clicks", lambda _text, ids: [{"search_id": key, "article": one} for one in ids for key in (1, 10_000)]
    ),
    ("GET", "/api/flags"): lambda _text, ids: [
        ("/api/flags", None, params) for params in ({}, *({"article": one} for one in ids))
    ],
    ("GET", "/api/publishing"): _plain("/api/publishing"),
    ("GET", "/api/me"): _plain("/api/me"),
    ("GET", "/api/me/kept"): _plain("/api/me/kept"),
    ("GET", "/healthz"): _plain("/healthz"),
    ("GET", "/readyz"): _plain("/readyz"),
    ("GET", "/metrics"): _plain("/metrics"),
    ("POST", "/hooks/git"): _plain("/hooks/git"),
    ("GET", "/api/gaps"): _plain("/api/gaps"),
    ("POST", "/api/gaps"): _sent("/api/gaps", lambda text, _ids: [{"text": text}]),
    ("GET", "/"): _asked("/", {}, {"audience": "public"}, {"type": "runbook"}),
    ("GET", "/results"): _asked("/results", {}, {"only": "words"}, {"service": "mail"}, {"shown": ["x/1", "x/3"]}),
    ("POST", "/results"): _sent("/results?only=words", lambda text, _ids: [Fields(q=text)]),
    ("POST", "/gaps"): _sent("/gaps", lambda text, _ids: [Fields(text=text)]),
    ("GET", "/a/{id:path}"): _each("/a/{id}"),
    ("POST", "/feedback"): _sent(
        "/feedback", lambda _text, ids: [Fields(article=one, verdict="helped") for one in ids]
    ),
    ("POST", "/fill/{id:path}"): lambda text, ids: [(f"/fill/{one}", Fields(name=text), {}) for one in ids],
    ("GET", "/history/{id:path}"): _each("/history/{id}"),
    ("GET", "/diff/{id:path}"): _each("/diff/{id}"),
    ("GET", "/glossary"): _plain("/glossary"),
    ("POST", "/runs"): _sent(
        "/runs",
        lambda _text, ids: [Fields(article=one, number=number) for one in ids for number in ("", "INC1", "INC99")],
    ),
    ("GET", "/runs/{run_id}"): _plain(*(f"/runs/{one}" for one in RUNS)),
    ("POST", "/runs/{run_id}"): lambda _text, _ids: [
        (f"/runs/{one}", Fields(step="1", done="yes"), {}) for one in RUNS
    ],
    ("GET", "/triage"): _asked("/triage", {}, {"service": "mail"}, name="text"),
    ("POST", "/triage"): _sent("/triage", lambda text, _ids: [Fields(text=text), Fields(number="INC2")]),
    ("POST", "/incidents/{number}/articles"): _sent(
        "/incidents/INC2/articles",
        lambda _text, ids: [
            Fields(article=one, relation=relation)
            for one in ids for relation in ("attached", "resolved_by", "detached")
        ],
    ),
    ("GET", "/publishing"): _plain("/publishing"),
    ("GET", "/help"): _plain("/help"),
    ("GET", "/docs"): _plain("/docs"),
    ("GET", "/demo/ticket"): _plain("/demo/ticket"),
    ("GET", "/widget.js"): _plain("/widget.js"),
    ("GET", "/favicon.ico"): _plain("/favicon.ico"),
    ("GET", "/media/{path:path}"): lambda _text, ids: [
        (f"/media/{one}.png", None, {"of": of}) for one in ids for of in (one, "x/0", "")
    ],
    ("GET", "/incidents"): _asked("/incidents", {}, {"state": "open"}),
    ("GET", "/incidents/{number}"): _plain("/incidents/INC1", "/incidents/INC2", "/incidents/INC99"),
    ("GET", "/login"): _plain("/login?then=/a/x/1"),
    ("POST", "/login"): _plain("/login"),
    ("GET", "/login/provider"): _plain("/login/provider"),
    ("GET", "/login/callback"): _plain("/login/callback"),
    ("POST", "/logout"): _plain("/logout"),
    ("GET", "/sessions"): _plain("/sessions"),
    ("POST", "/sessions"): _plain("/sessions"),
}  # fmt: skip
