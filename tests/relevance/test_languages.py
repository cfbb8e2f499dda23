"""German and French articles with a model that knows the languages: found by what is meant, however it is typed.

The model is made here (``tests.multilingual``): none was found in a package index, and tests reach no hub.
"""

import hashlib
import inspect
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from indexer import open_encoder
from indexer.language import Code, language_of
from indexer.model_files import DEFAULT_MODEL
from kb_service import KnowledgeBase, Settings
from kb_service.evaluation import FUSED, evaluate
from kb_service.evaluation import opened as opened_set
from kb_service.labelled import read_set
from kb_service.query import Query
from tests.multilingual import catalogues, help_pages, model, vocabulary
from tests.multilingual.desk import DESK

pytestmark = pytest.mark.relevance

CODES: tuple[Code, ...] = ("de", "fr")
AS_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
Question = tuple[str, str]
Open = Callable[[Code, str], KnowledgeBase]


@pytest.fixture(scope="module")
def multilingual(model_cache: Path) -> str:
    """The folder of the model, made once for what makes it."""
    sources = "".join(map(inspect.getsource, (catalogues, model, vocabulary)))
    folder = model_cache / f"multilingual-{hashlib.sha256(sources.encode()).hexdigest()[:16]}"
    if not folder.exists():
        model.make(folder)
    return str(folder)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Open:
    """Opens the articles of a language with a model, all encoded."""
    made: dict[tuple[Code, str], KnowledgeBase] = {}

    def open_one(code: Code, name: str) -> KnowledgeBase:
        if (code, name) not in made:
            folder = tmp_path_factory.mktemp(code)
            for article, asked in DESK[code].items():
                (folder / f"{article}.md").write_text(f"---\ntitle: {asked.title}\n---\n{asked.text}\n", "utf-8")
            settings = Settings(content=folder, data=folder / "data", cache=model_cache, model=name, language=code)
            made[code, name] = KnowledgeBase(settings)
            made[code, name].update()
        return made[code, name]

    return open_one


def mean_reciprocal_rank(base: KnowledgeBase, questions: Iterable[Question]) -> float:
    of_each = []
    for text, article in questions:
        found = [hit.id for hit in base.searcher.search(Query(text)).hits]
        of_each.append(1 / (1 + found.index(article)) if article in found else 0.0)
    return sum(of_each) / len(of_each)


def own(code: Code) -> list[Question]:
    return [(text, article) for article, asked in DESK[code].items() for text in asked.own]


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


@pytest.mark.parametrize("code", CODES)
def test_what_is_meant_is_found_in_other_words(code: Code, opened: Open, multilingual: str) -> None:
    with_it, without = (mean_reciprocal_rank(opened(code, name), own(code)) for name in (multilingual, DEFAULT_MODEL))
    print(f"{code}: {with_it:.3f}, with the default model {without:.3f}")
    assert with_it > 0.75
    assert with_it > without + 0.1


@pytest.mark.parametrize("code", CODES)
def test_what_is_asked_in_english_is_found(code: Code, opened: Open, multilingual: str) -> None:
    questions = [(asked.english, article) for article, asked in DESK[code].items()]
    with_it, without = (mean_reciprocal_rank(opened(code, name), questions) for name in (multilingual, DEFAULT_MODEL))
    print(f"{code} in English: {with_it:.3f}, with the default model {without:.3f}")
    assert with_it > 0.9
    assert with_it > without + 0.2


def as_two_letters(text: str) -> str:
    return text.translate(AS_TWO_LETTERS)


@pytest.mark.parametrize("typed", [without_accents, as_two_letters, str.upper])
@pytest.mark.parametrize("code", CODES)
def test_how_it_is_typed_costs_little(code: Code, typed: Callable[[str], str], opened: Open, multilingual: str) -> None:
    base = opened(code, multilingual)
    as_typed = mean_reciprocal_rank(base, [(typed(text), article) for text, article in own(code)])
    print(f"{code}: {as_typed:.3f}")
    assert as_typed > mean_reciprocal_rank(base, own(code)) - 0.05


@pytest.mark.parametrize(
    ("text", "article"),
    [("Kennwortänderung", "kennwort"), ("Netzlaufwerkverbindung", "laufwerk"), ("Bildschirmkabel", "bildschirm")],
)
def test_a_compound_that_nobody_wrote_is_found(text: str, article: str, opened: Open, multilingual: str) -> None:
    assert opened("de", multilingual).searcher.search(Query(text)).hits[0].id == article


@pytest.mark.parametrize("code", ["en", "de", "fr", "es", "it", "nl"])
def test_no_language_is_found_worse_than_by_words_alone(code: Code, model_cache: Path, tmp_path: Path) -> None:
    """By the default model, too, which knows English only."""
    found, words = on_help_pages(code, DEFAULT_MODEL, model_cache, tmp_path)
    print(f"help pages, {code}: {found:.3f}, words alone {words:.3f}")
    assert found > words - 0.01


@pytest.mark.parametrize("code", CODES)
def test_a_model_that_knows_the_language_finds_help_pages_better(
    code: Code, multilingual: str, model_cache: Path, tmp_path: Path
) -> None:
    found, words = on_help_pages(code, multilingual, model_cache, tmp_path)
    print(f"help pages, {code}, a model that knows it: {found:.3f}, words alone {words:.3f}")
    assert found > words + 0.01


def on_help_pages(code: Code, name: str, cache: Path, folder: Path) -> tuple[float, float]:
    """nDCG@10 of the order and of the words lane."""
    help_pages.write(code, folder)
    labelled = read_set(folder)
    assert len(labelled.queries) > 200
    with opened_set(labelled, "articles", open_encoder("onnx", name, cache), cache, language=language_of(code)) as (
        searcher,
        seconds,
    ):
        evaluation = evaluate(labelled, searcher, seconds)
    return evaluation.summary(FUSED).metrics["ndcg@10"], evaluation.summary("words").metrics["ndcg@10"]
