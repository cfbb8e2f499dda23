"""The pages of the demo desk, for tests that look at each."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2

RUNBOOK = "runbooks/port-not-reachable-linux"
FLOOD_TICKET = "web shop checkout shows 502 bad gateway, customers cannot pay"


def pages(address: str) -> Iterator[tuple[str, str]]:
    """A name and a path for every kind of page, in each of its states."""
    with httpx2.Client(base_url=address, headers={"Origin": address}) as client:
        run = client.post("/runs", data={"article": RUNBOOK, "number": ""}).headers["location"]
        run = run.removeprefix(urlsplit(address).path)
        number = re.findall(r'href="[^"]*/incidents/(INC[^"]+)"', client.get("/incidents").text)[0]
        client.post("/gaps", data={"text": "fax prints black pages"})
        client.post("/feedback", data={"article": RUNBOOK, "verdict": "flag", "comment": "Step 2 is of the past"})
    yield from {
        "start": "/",
        "search": "/?q=vpn+does+not+connect",
        "search, narrowed": "/?q=vpn&type=runbook&tier=L1",
        "search, nothing": "/?q=xyzzyqwrt",
        "article": "/a/runbooks/vpn-wont-connect",
        "runbook": f"/a/{RUNBOOK}",
        "template": "/a/templates/major-incident-update",
        "history": f"/history/{RUNBOOK}",
        "change": f"/diff/{RUNBOOK}",
        "no article": "/a/runbooks/vpn",
        "run": run,
        "triage": "/triage",
        "triage of a flood": f"/triage?text={FLOOD_TICKET.replace(' ', '+')}",
        "incidents": "/incidents",
        "incident": f"/incidents/{number}",
        "no incident": "/incidents/INC404",
        "glossary": "/glossary",
        "publishing": "/publishing",
        "help": "/help",
        "ticket form": "/demo/ticket",
        "sign in": "/login",
        "sessions": "/sessions",
        "nothing": "/nothing-here",
    }.items()
