"""Articles in German and French, asked as people type: without umlauts and accents, with compounds and their parts."""

import os
import pickle
from pathlib import Path

import pytest

from indexer.compounds import parts_of
from indexer.language import LANGUAGES, Code, language_of
from indexer.terms import query_terms, terms
from kb_service import KnowledgeBase, Settings
from kb_service.access import EVERYTHING
from kb_service.completing import complete
from kb_service.query import Query
from tests import forked

ARTICLES: dict[Code, dict[str, str]] = {
    "de": {
        "drucker-offline": "title: Netzwerkdrucker ist offline\naliases: [Gerät druckt nicht]\n---\nStarten Sie die "
        "Warteschlange des Druckers neu.",
        "kennwort": "title: Kennwörter zurücksetzen\n---\nDas Kennwort läuft nach neunzig Tagen ab. Bitte ändern.",
        "vpn": "title: Zugang von zu Hause\n---\nDie Prüfung des Zertifikats schlägt fehl, die Verbindung bricht ab.",
        "postfach": "title: Postfach ist voll\n---\nGroße Anhänge löschen, das Kontingent wird täglich geprüft.",
        "bestellung": "title: Neue Geräte bestellen\n---\nDie Bestellung geht über das Portal an den Einkauf.",
    },
    "fr": {
        "imprimante": "title: L'imprimante n'imprime plus\n---\nRedémarrez la file d'attente. Une page imprimée à "
        "moitié bloque les suivantes.",
        "compte": "title: Compte verrouillé\n---\nRéinitialiser le mot de passe, puis déverrouiller l'accès.",
        "reseau": "title: Accès au réseau à distance\n---\nLe certificat a expiré; la connexion échoue.",
        "boite": "title: Boîte aux lettres pleine\n---\nSupprimer les grosses pièces jointes, au cœur du problème.",
    },
}


@pytest.fixture(scope="module", params=["de", "fr"])
def base(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> KnowledgeBase:
    folder = tmp_path_factory.mktemp(request.param)
    return opened(folder, request.param)


def opened(folder: Path, code: Code) -> KnowledgeBase:
    content = folder / "content"
    content.mkdir(parents=True, exist_ok=True)
    for name, said in ARTICLES[code].items():
        (content / f"{name}.md").write_text(f"---\n{said}\n", "utf-8")
    made = KnowledgeBase(Settings(content=content, data=folder / "data", encoder="hashing", language=code))
    made.update()
    return made


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return opened(tmp_path_factory.mktemp("german"), "de")


@pytest.fixture(scope="module")
def french(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return opened(tmp_path_factory.mktemp("french"), "fr")


def found(base: KnowledgeBase, text: str) -> list[str]:
    """By words alone: letters in common are no likeness here."""
    return [hit.id for hit in base.searcher.search(Query(text, words_only=True)).hits]


def changes(base: KnowledgeBase, text: str) -> list[str]:
    return [change.kind for change in base.searcher.search(Query(text)).understood.changes]


@pytest.mark.parametrize(
    ("text", "article"),
    [
        ("kennwort ändern", "kennwort"),
        ("Kennwoerter zuruecksetzen", "kennwort"),  # umlauts as two letters
        ("kennworter zurucksetzen", "kennwort"),  # and without their dots
        ("KENNWÖRTER ZURÜCKSETZEN", "kennwort"),
        ("Zertifikatsprüfung", "vpn"),  # a compound that nobody wrote
        ("Pruefung Zertifikat", "vpn"),
        ("Druckerwarteschlange", "drucker-offline"),
        ("drucker", "drucker-offline"),  # part of one that is written
        ("wie kann ich grosse Anhaenge löschen", "postfach"),
        ("geprueft", "postfach"),
        ("neue geraete", "bestellung"),
        ("Wie bestelle ich ein neues Gerät?", "bestellung"),
    ],
)
def test_german(german: KnowledgeBase, text: str, article: str) -> None:
    assert found(german, text)[:1] == [article]


@pytest.mark.parametrize(
    ("text", "article"),
    [
        ("imprimante", "imprimante"),
        ("page imprimee", "imprimante"),  # accents not typed
        ("pages imprimées", "imprimante"),
        ("compte verrouille", "compte"),
        ("COMPTE VERROUILLÉ", "compte"),
        ("reinitialiser mot de passe", "compte"),
        ("comment est-ce qu'on réinitialise le mot", "compte"),
        ("acces reseau", "reseau"),
        ("le réseaux est en échec", "reseau"),
        ("piece jointe", "boite"),
        ("coeur", "boite"),
        ("cœur", "boite"),
    ],
)
def test_french(french: KnowledgeBase, text: str, article: str) -> None:
    assert found(french, text)[:1] == [article]


@pytest.mark.parametrize(
    ("code", "text", "note"),
    [
        ("de", "Zertifikatsprüfung", "'Zertifikatsprüfung' read as 'zertifikats prüfung'"),
        ("de", "das Kentwort", "'Kentwort' read as 'kennwort'"),  # a noun has its capital, and is no name
        ("de", "Gerrät", "'Gerrät' read as 'gerät'"),
        ("fr", "imprimmante", "'imprimmante' read as 'imprimante'"),
        ("fr", "reinitialser", "'reinitialser' read as 'réinitialiser'"),
    ],
)
def test_what_was_read_is_said_as_it_is_written(
    german: KnowledgeBase, french: KnowledgeBase, code: Code, text: str, note: str
) -> None:
    base = german if code == "de" else french
    assert note in base.searcher.search(Query(text)).notes


@pytest.mark.parametrize(
    ("code", "typed", "name"),
    [
        ("de", "Kennwoe", "Kennwörter zurücksetzen"),
        ("de", "zuruck", "Kennwörter zurücksetzen"),
        ("de", "neue ger", "Neue Geräte bestellen"),
        ("fr", "acces au res", "Accès au réseau à distance"),
        ("fr", "boi", "Boîte aux lettres pleine"),
    ],
)
def test_type_ahead(german: KnowledgeBase, french: KnowledgeBase, code: Code, typed: str, name: str) -> None:
    base = german if code == "de" else french
    assert name in [one for one, _ in complete(base.index, Query(typed)).names]


def test_the_parts_of_a_compound_are_marked_and_told(german: KnowledgeBase) -> None:
    hit = german.searcher.search(Query("drucker", words_only=True)).hits[0]
    assert "<mark>Netzwerkdrucker</mark>" in hit.snippet or "<mark>Druckers</mark>" in hit.snippet
    assert any(why.lane == "words" for why in hit.reasons)


def test_what_one_may_not_see_makes_no_part_of_a_compound(tmp_path: Path) -> None:
    base = opened(tmp_path, "de")
    path = base.settings.content / "geheim.md"
    path.write_text(
        "---\ntitle: Umzug\naudience: restricted\ngroups: [Leitung]\n---\nBriefkasten Schlüssel.\n", "utf-8"
    )
    base.update()
    read = base.searcher.search(Query("Briefkastenschlüssel", words_only=True))
    assert (read.hits, read.understood.changes) == ((), ())
    seen = base.searcher.search(Query("Briefkastenschlüssel", words_only=True, sight=EVERYTHING))
    assert [hit.id for hit in seen.hits] == ["geheim"]


def test_another_language_is_read_anew(tmp_path: Path) -> None:
    base = opened(tmp_path, "de")
    assert changes(base, "kennwoerter") == []
    other = KnowledgeBase(base.settings.model_copy(update={"language": "en"}))
    report = other.update()
    assert report.note.startswith("rebuilding: the index was made by")
    assert changes(other, "kennwoerter") == ["typo"]
    assert found(other, "kennworter") == ["kennwort"], "accents are folded in every language"


def test_a_language_that_is_not_spoken_is_refused() -> None:
    done = forked.kb(["index"], {**os.environ, "KB_LANGUAGE": "xx"})
    assert done.returncode == 2
    assert "KB_LANGUAGE" in done.stderr
    assert "'de'" in done.stderr


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_every_language_has_terms_and_stays_itself_in_another_process(language: object) -> None:
    assert pickle.loads(pickle.dumps(language)) is language  # noqa: S301


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_commonest_words_are_not_asked_for(code: Code) -> None:
    language = language_of(code)
    said = language.stops.split()
    assert set(query_terms(f"{' '.join(said)} printer", language)) == set(terms("printer", language))


@pytest.mark.parametrize(
    ("word", "known", "parts"),
    [
        ("druckerwarteschlange", ["drucker", "warteschlange"], ("drucker", "warteschlange")),
        ("druckerwarteschlange", ["drucker", "warte", "schlange"], ("drucker", "warte", "schlange")),
        ("druckerwarteschlange", ["drucker", "warte", "schlange", "warteschlange"], ("drucker", "warteschlange")),
        ("zertifikatsprufung", ["zertifikat", "prufung"], ("zertifikat", "prufung")),  # an s joins them
        ("zertifikatsprufung", ["prufung"], ()),
        ("drucker", ["druck"], ()),  # an ending is no word
        ("", ["druck"], ()),
        ("a" * 1000, ["aaaa"], ()),
        ("a" * 60, ["aaaa"], ("aaaa",) * 15),
    ],
)
def test_parts(word: str, known: list[str], parts: tuple[str, ...]) -> None:
    assert parts_of(word, language_of("de").joins, known.__contains__) == parts


def test_english_has_no_compounds() -> None:
    assert parts_of("passwordreset", language_of("en").joins, {"password", "reset"}.__contains__) == ()
