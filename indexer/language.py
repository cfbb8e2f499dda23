"""The languages that articles are written in: how a word is folded and stemmed, and which words tell nothing.

One language for a knowledge base, the same for what is indexed and for what is asked. Accents are folded in all of
them, so that it does not matter whether they are typed. Stems are Snowball's (Porter, 2001).
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import Stemmer

from indexer.of_words import of_words

Code = Literal["en", "de", "es", "fr", "it", "nl"]


@dataclass(frozen=True, eq=False)
class Language:
    """``stops`` are its commonest words, ``asking`` those by which a question wants something defined.

    ``folding`` and ``stemming`` are what is replaced in a word before it is folded and stemmed: patterns with their
    replacements. ``joins`` are the letters that may stand between the parts of a compound, none in a language that
    does not write compounds as one word; ``has_capital_nouns`` says that a capital tells no name.
    """

    code: Code
    algorithm: str
    stops: str
    asking: str
    folding: tuple[tuple[str, str], ...] = ()
    stemming: tuple[tuple[str, str], ...] = ()
    joins: tuple[str, ...] = ()
    has_capital_nouns: bool = False

    def __reduce__(self) -> tuple[Callable[[Code], "Language"], tuple[Code]]:
        return language_of, (self.code,)

    @cached_property
    def fold(self) -> Callable[[str], str]:
        """Gives a word as it is spelled, without case and accents."""

        @of_words
        def fold(word: str) -> str:
            for pattern, replacement in self.folding:
                word = re.sub(pattern, replacement, word, flags=re.IGNORECASE)
            return folded(word)

        return fold

    @cached_property
    def stem(self) -> Callable[[str], str]:
        """Gives a word's term: folded, and without its ending."""
        local = threading.local()

        @of_words
        def stem(word: str) -> str:
            word = self.fold(word)
            if len(word) < 4 or not word.isalpha():
                return word
            stemmer = getattr(local, "stemmer", None)
            if stemmer is None:
                stemmer = local.stemmer = Stemmer.Stemmer(self.algorithm)
            for pattern, replacement in self.stemming:
                word = re.sub(pattern, replacement, word)
            return folded(stemmer.stemWord(word))

        return stem

    @cached_property
    def stop_terms(self) -> frozenset[str]:
        return frozenset(map(self.stem, self.stops.split()))

    @cached_property
    def is_asking(self) -> Callable[[str], object]:
        """Tells whether a text asks what something means."""
        return re.compile(rf"\b(?:{self.asking})\b", re.IGNORECASE).search


_MOST_LETTERS = 1_000


def folded(word: str) -> str:
    """Without case and accents; of what is too long for a word the beginning, unless it is ASCII."""
    if word.isascii():
        return word.lower()
    # One letter may come apart into eighteen
    apart = unicodedata.normalize("NFKD", word[:_MOST_LETTERS].casefold())
    return apart.translate(_PLAIN_LETTERS) or word


class _PlainLetters(dict[int, int | None]):
    """Leaves accents out, and spaces: some letters come apart into words, some into a mark on a space."""

    def __missing__(self, code: int) -> int | None:
        letter = chr(code)
        self[code] = plain = None if unicodedata.combining(letter) or letter.isspace() else code
        return plain


_PLAIN_LETTERS = _PlainLetters()


ENGLISH = Language(
    "en",
    "english",
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my of "
    "on or our please should so some that the their them then there these they this to us was we were what when where "
    "which who why will with would you your",
    "what|mean|means|meaning|define|definition|stands? for|difference",
)
_GERMAN = Language(
    "de",
    "german",
    "aber als am an auch auf aus bei bin bis bitte da damit dann das dass dem den der des die dies diese diesem diesen "
    "dieser dieses du durch ein eine einem einen einer eines er es für haben habe hat hatte ich ihr ihre im in ins ist "
    "ja kann kannst können könnte man mein meine meinem meinen meiner mich mir mit muss nach noch nun nur ob oder ohne "
    "schon sein seine seit sich sie sind so soll sollte über um und uns unser unsere unter vom von vor wann war waren "
    "warum was weil welche welcher welches wenn wer werden wie wieso wir wird wo wurde zu zum zur",
    "was (?:ist|sind|heißt|bedeutet)|bedeutet|bedeutung|steht für|definition|unterschied",
    # Where there is no key for it, ü is written ue; not so in neu, bauen and Quelle
    folding=((r"([ao])e", r"\1"), (r"(?<![aeq])ue", "u")),
    joins=("s", "es", "n", "en", "e", "er"),
    has_capital_nouns=True,
)
_SPANISH = Language(
    "es",
    "spanish",
    "a al algo ante aquí así aún como cómo con cual cuál cuales cuando cuándo de del desde donde dónde e el él ella "
    "ellos en entre era es esa ese eso esta está están este esto favor fue ha han hasta hay he la las le les lo los me "
    "mi mis muy no nos nuestra nuestro o para pero por porque puede pueden puedo que qué quién se ser si sí sin sobre "
    "son su sus también te tengo tiene tu un una uno unos y ya yo",
    "qué (?:es|significa)|significa|significado|definición|diferencia",
)
_FRENCH = Language(
    "fr",
    "french",
    "à ai au aux avec avez avons c ce ces cet cette comme comment d dans de des donc du elle elles en es est et été "
    "être eu il ils j je l la le les leur leurs lors lui m ma mais me mes mon n ne nos notre nous on ont ou où par pas "
    "peut peux plus pour pourquoi puis qu quand que quel quelle quelles quels qui s sa sans se ses si son sont sur t "
    "ta te tes ton tu un une vos votre vous y",
    "qu'?est|c'est quoi|signifie|signification|définition|différence",
    folding=(("œ", "oe"),),
    # Of an accent that was folded or not typed only the ending tells the participle: imprimee, imprimees
    stemming=((r"ee(s?)$", r"ée\1"),),
)
_ITALIAN = Language(
    "it",
    "italian",
    "a ad agli ai al alla alle anche c che chi ci come con cosa d da dagli dai dal dalla dalle dei del della delle di "
    "dove e è ed era gli ha hanno ho i il in io l la le lei lo loro lui ma mi mia mio ne nei nel nella nelle noi non o "
    "per perché più può quale quali quando questa queste questi questo se sei si sì siamo sono su sua sul sulla suo "
    "tra tu un una uno vi voi",
    "cos'?è|cosa (?:è|significa)|significa|significato|definizione|differenza",
)
_DUTCH = Language(
    "nl",
    "dutch",
    "aan al als bij ben bent dan dat de deze die dit doe door dus een en er ge geen haar had heb hebben heeft het hij "
    "hoe hun ik in is ja je jij jouw kan kun kunnen maar me met mij mijn moet na naar niet nog nu of om omdat onder "
    "ons onze ook op over te tot u uit uw van veel voor waar waarom waren was wat we wel welke wie wij wil word worden "
    "wordt zal ze zich zij zijn zo",
    "wat (?:is|betekent)|betekent|betekenis|definitie|verschil",
    joins=("s", "en", "e"),
)
LANGUAGES: dict[Code, Language] = {one.code: one for one in (ENGLISH, _GERMAN, _SPANISH, _FRENCH, _ITALIAN, _DUTCH)}


def language_of(code: Code) -> Language:
    return LANGUAGES[code]
