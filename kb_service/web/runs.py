"""The page of a runbook that somebody goes through: steps ticked off, commands filled in, kept with the incident."""

import re
from html import escape
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from kb_service.access import Sight
from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.bodies import sees_article
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase
from kb_service.past import UnknownArticleError, Version
from kb_service.placeholders import command_fields, with_commands_filled
from kb_service.reading import html_of
from kb_service.runs import Run, UnknownRunError
from kb_service.steps import steps_of
from kb_service.web.forms import Form, article_fields
from kb_service.web.page import TEMPLATES, below, page

router = APIRouter(include_in_schema=False, dependencies=[Records])

# An item as ``steps_of`` marks it; a heading may be called "Step 1"
_STEP = re.compile(r'<li class="(?:[^"]* )?step-(\d+)">')


@router.post("/runs")
def begin(base: Base, who: Who, sight: CallerSight, fields: Form) -> Response:
    """Begin to run an article as it is now; where there is no such incident, the article's page says so."""
    knowledge = base.searcher.article(fields.get("article", ""), sight)
    number = fields.get("number", "").strip()
    if knowledge is None:
        raise UnknownArticleError(fields.get("article", ""))
    if number and base.incidents.get(number, sight) is None:
        return RedirectResponse(f"{article_url(knowledge.id)}?{urlencode({'no_incident': number[:64]})}#page:run", 303)
    record = base.incidents.existing(number, sight).incident.number if number else None
    steps = steps_of(knowledge.document.without_title_heading()).names
    run_id = base.runs.begin(knowledge.id, knowledge.title, knowledge.revision, steps, record, who)
    return RedirectResponse(f"/runs/{run_id}", 303)


@router.get("/runs/{run_id}")
def run_page(request: Request, base: Base, sight: CallerSight, run_id: str) -> Response:
    """The article as it was when the run began, with what was done of it."""
    run = _seen(base, run_id, sight)
    version = base.past().known_at(run.article, run.revision, sight)
    session = request.state.session
    context = {
        "run": run,
        "html": _html(base, run, version, sight, session.token if session else "") if version else None,
        "names": command_fields(version.knowledge.document) if version else (),
        "url": article_url(run.article),
        "changed": version is not None and not version.live,
    }
    return page(request, "run.html", context)


@router.post("/runs/{run_id}")
def change(base: Base, who: Who, sight: CallerSight, run_id: str, fields: Form) -> Response:
    """Tick a step, fill the commands in, end it, or keep it with an incident, then the run again; or discard it."""
    run = _seen(base, run_id, sight)
    place = ""
    if "discard" in fields:
        base.runs.discard(run_id, who)
        return RedirectResponse(article_url(run.article), 303)
    if fields.get("step", "").isdecimal():
        base.runs.tick(run_id, int(fields["step"][:4]), done=fields.get("done") == "yes")
        place = f"#step-{fields['step']}"
    elif "ended" in fields:
        base.runs.end(run_id, ended=fields["ended"] == "yes")
    elif fields.get("number", "").strip():
        number = base.incidents.existing(fields["number"].strip(), sight).incident.number
        base.runs.keep_with(run_id, number, who)
    else:
        base.runs.fill(run_id, article_fields(fields))
    return RedirectResponse(f"/runs/{run_id}{place}", 303)


def _seen(base: KnowledgeBase, run_id: str, sight: Sight) -> Run:
    """What is of an incident or an article that one may not see is not there."""
    run = base.runs.get(run_id)
    of_record = run.number is None or base.incidents.get(run.number, sight) is not None
    if not of_record or not sees_article(base.searcher.catalogue, run.article, sight):
        raise UnknownRunError(run_id)
    return run


def _html(base: KnowledgeBase, run: Run, version: Version, sight: Sight, token: str) -> str:
    """The article's HTML with a box to tick at each step."""
    knowledge = version.knowledge
    steps = steps_of(with_commands_filled(knowledge.document.without_title_heading(), run.fields))
    commit = version.revision.commit if version.revision else None
    root = base.settings.root
    html = below(root, html_of(steps.document, base.searcher, knowledge, sight, base.text, commit))
    boxes = {
        number: TEMPLATES.get_template("tick.html").render(
            run=run, step=number, name=name, done=run.done.get(number), token=token, root=root
        )
        for number, name in enumerate(steps.names, 1)
    }
    for number, anchor in enumerate(map(escape, steps.anchors), 1):
        html = html.replace(f'<h2 id="{anchor}">', f'{boxes[number]}<h2 id="{anchor}">', 1)
    return html if steps.anchors else _STEP.sub(lambda item: item[0] + boxes[int(item[1])], html)
