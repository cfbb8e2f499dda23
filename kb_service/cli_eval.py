"""``kb eval``: how good the search is on a labelled set, for people and for programs."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from kb_service import bands
from kb_service.confidence import Corpus
from kb_service.evaluation import FUSED, Evaluation, Summary, as_json, ask, evaluate, opened, summary_json
from kb_service.labelled import LabelledQuery, LabelledSet, read_queries, read_run, read_set, write_run
from kb_service.leave_one_out import LeaveOneOut, past_incidents
from kb_service.measures import METRICS
from kb_service.ranking import LANES
from kb_service.search import Searcher
from kb_service.settings import Settings
from kb_service.terminal import Bar, out, print_json

_KINDS: tuple[Corpus, ...] = ("articles", "incidents")


def run(
    settings: Settings,
    folder: Path,
    kind: Corpus,
    by: str | None,
    run_file: Path | None,
    compare: Path | None,
    unanswerable: Path | None,
    evidence: bool,
    leave_out: str | None,
    as_json_: bool,
) -> None:
    """Evaluate and print. Every file is read before anything is done, ``run_file`` written after."""
    labelled = read_set(folder)
    other = read_run(compare) if compare else None
    without = read_queries(unanswerable) if unanswerable else ()
    with Bar(hidden=as_json_) as bar:
        encoder = settings.open_encoder()
        with opened(labelled, kind, encoder, settings.cache_folder, bar, settings.spoken) as (searcher, seconds):
            found = evaluate(labelled, searcher, seconds, bar)
            unanswered = [ask(searcher, query) for query in without]
            with_evidence = _with_evidence(labelled, leave_out, searcher, settings, bar) if evidence else None
    if run_file:
        write_run(run_file, {one.query.id: one.rankings[FUSED] for one in found.answers}, "kb")
    body = as_json(found)
    body["confidence"] = bands.as_json(bands.report(found, unanswered, settings.strong))
    if by:
        body["by"] = {by: {value: _split_json(found, by, value) for value in _values(found, by)}}
    if other is not None:
        body["compared"] = {"run": str(compare), **summary_json(found.difference(other))}
    if with_evidence is not None:
        plain = {one.query.id: one.rankings[FUSED] for one in found.answers}
        gain = summary_json(with_evidence.difference(plain))
        body["evidence"] = {**summary_json(with_evidence.summary()), "gain": gain}
    if as_json_:
        print_json(body)
    else:
        _print(found, body, by, other is not None)


def _with_evidence(
    labelled: LabelledSet, leave_out: str | None, searcher: Searcher, settings: Settings, bar: Bar
) -> Evaluation:
    """The set asked once more, each query with what all others say as past incidents."""
    past = past_incidents(labelled, leave_out)
    with opened(past, "incidents", settings.open_encoder(), settings.cache_folder, bar, settings.spoken) as (
        over_past,
        _,
    ):
        others = LeaveOneOut.over(labelled, past, over_past)
        return evaluate(labelled, searcher, 0.0, bar, others.evidence)


def _values(found: Evaluation, by: str) -> list[str]:
    return sorted({_value(one.query, by) for one in found.answers})


def _value(query: LabelledQuery, by: str) -> str:
    return str(query.fields.get(by, "-"))


def _split(found: Evaluation, by: str, value: str) -> Summary:
    return found.summary(keep=lambda query: _value(query, by) == value)


def _split_json(found: Evaluation, by: str, value: str) -> dict[str, Any]:
    split = _split(found, by, value)
    return {"queries": split.queries, **summary_json(split)}


def _print(found: Evaluation, body: dict[str, Any], by: str | None, compared: bool) -> None:
    title = f"{escape(body['set'])}: {body['docs']} documents, {body['queries']} queries"
    table = Table(title=title, title_justify="left")
    for head in ("", *METRICS):
        table.add_column(head, justify="left" if not head else "right", no_wrap=True)
    rows: list[tuple[str, dict[str, Any]]] = [(FUSED, body)]
    rows += [(f"{lane} alone", summary_json(found.summary(lane))) for lane in LANES]
    if by:
        rows += [(f"{by}={value} ({of['queries']})", of) for value, of in body["by"][by].items()]
    if compared:
        rows.append(("fused less the run", body["compared"]))
    if "evidence" in body:
        rows += [("with evidence", body["evidence"]), ("what evidence adds", body["evidence"]["gain"])]
    for name, of in rows:
        table.add_row(escape(name), *(_cell(of["metrics"][one], of["intervals"][one]) for one in METRICS))
    out.print(table)
    out.print(
        f"Indexed in {body['index_seconds']} s; a query takes {body['query_ms']['p50']} ms,"
        f" one in twenty over {body['query_ms']['p95']} ms."
    )
    sure = cast(dict[str, Any], body["confidence"])
    for name in bands.BANDS:
        right = _percent(sure["precision"][name])
        out.print(f"{name:7} {sure['hits'][name]:6} hits on first pages, {right} of them right")
    out.print(f"{_percent(sure['answerable_strong'])} of {sure['answerable']} answerable queries get a strong hit")
    if sure["unanswerable"]:
        share = _percent(sure["unanswerable_strong"])
        out.print(f"{share} of {sure['unanswerable']} unanswerable queries get a strong hit")


def _cell(mean: float, interval: list[float]) -> str:
    return f"{mean:.3f}\n{interval[0]:.3f}–{interval[1]:.3f}"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv, as BEIR has.")
]
As = Annotated[str, typer.Option("--as", help="What the documents are: articles (Markdown) or incidents (plain text).")]
By = Annotated[str | None, typer.Option(metavar="FIELD", help="Split by a field of the queries.")]
RunFile = Annotated[Path | None, typer.Option("--run", metavar="FILE", help="Write the fused order as a TREC run.")]
Compare = Annotated[
    Path | None, typer.Option(metavar="RUN", help="Give the paired difference to another TREC run, with its interval.")
]
WithEvidence = Annotated[
    bool, typer.Option("--evidence", help="Ask again with all other queries as past incidents: what do they add?")
]
LeaveOut = Annotated[
    str | None,
    typer.Option(metavar="FIELD", help="With --evidence: those of one value of this field are left out together."),
]
Unanswerable = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A queries.jsonl whose queries have no answer in this set.")
]


def kind_of(value: str) -> Corpus:
    """Raises BadParameter for what is neither."""
    if value not in _KINDS:
        raise typer.BadParameter(f"--as: '{value}' is none of {', '.join(_KINDS)}")
    return value
