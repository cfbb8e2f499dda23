"""``python -m tests.multilingual.model FOLDER``: a sentence-transformers model of English, German and French.

The default model is the teacher: a text in another language shall mean what it says of the English one (N. Reimers and
I. Gurevych, "Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation", 2020). The pupil begins
as its copy, which knows each new word as the English word that it most often stands for. Two minutes on two cores.
"""

import argparse
import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.model_files import DEFAULT_MODEL, model_folder
from tests.multilingual.catalogues import LANGUAGES, said_alike
from tests.multilingual.vocabulary import new_words

STEPS = 150
_BATCH, _MOST_TOKENS = 64, 40
# Of a compound, after whatever
_PART, _PART_LETTERS = "##", 4
_WORDS_RATE, _RATE = 0.01, 1e-4
# English once in so many steps, lest it be forgotten
_ENGLISH = 4

Pair = tuple[str, str]


def make(folder: Path, steps: int = STEPS) -> None:
    """Write the model into a folder, which must not be there."""
    teacher = model_folder(DEFAULT_MODEL)
    pairs = [pair for language in LANGUAGES for pair in said_alike(language)]
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(teacher, part)
    _add_words(part)
    _teach(part, teacher, _batches(pairs, steps))
    part.replace(folder)


def _add_words(folder: Path) -> None:
    """Put the words of the languages into the vocabulary of a BERT, each as its English word, whole and as a part."""
    from safetensors.numpy import load_file, save_file
    from tokenizers import Tokenizer

    pieces = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pieces.no_padding()
    weights = load_file(folder / "model.safetensors")
    [name] = [name for name in weights if name.endswith("word_embeddings.weight")]
    known, rows = pieces.get_vocab(with_added_tokens=False), weights[name]
    added: dict[str, NDArray[np.float32]] = {}
    for language in LANGUAGES:
        for word, english in new_words(said_alike(language), known).items():
            vector = rows[pieces.encode(english, add_special_tokens=False).ids].mean(axis=0)
            for piece in (word, _PART + word) if len(word) >= _PART_LETTERS else (word,):
                if piece not in known:
                    added.setdefault(piece, vector)
    weights[name] = np.concatenate([rows, np.stack(list(added.values()))])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _change(folder / "config.json", lambda config: config.update(vocab_size=len(known) + len(added)))
    numbers = {piece: len(known) + place for place, piece in enumerate(added)}
    _change(folder / "tokenizer.json", lambda tokenizer: tokenizer["model"]["vocab"].update(numbers))
    with (folder / "vocab.txt").open("a", encoding="utf-8") as vocabulary:
        vocabulary.writelines(f"{piece}\n" for piece in added)


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    said = json.loads(file.read_text("utf-8"))
    change(said)
    file.write_text(json.dumps(said, ensure_ascii=False), "utf-8")


def _batches(pairs: list[Pair], steps: int) -> list[list[Pair]]:
    """Some of the pairs, the same ones each time; those of like length together, so that little is padded."""
    chance = random.Random(1)  # noqa: S311
    some = sorted(chance.sample(pairs, min(len(pairs), steps * _BATCH)), key=lambda pair: len(pair[1]))
    batches = [some[start : start + _BATCH] for start in range(0, len(some), _BATCH)]
    chance.shuffle(batches)
    return batches


def _teach(folder: Path, teacher: Path, batches: Sequence[Sequence[Pair]]) -> None:
    """Change the model in a folder until it says of both texts of a pair what the teacher says of the English one."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    class Sayer:
        def __init__(self, path: Path) -> None:
            self._pieces = AutoTokenizer.from_pretrained(str(path))
            self.model = AutoModel.from_pretrained(str(path)).eval()

        def say(self, texts: list[str]) -> torch.Tensor:
            """``(n, dimension)``, unit length, as the model's own pooling has it: the mean over tokens."""
            given = self._pieces(texts, padding=True, truncation=True, max_length=_MOST_TOKENS, return_tensors="pt")
            of_tokens, there = self.model(**given)[0], given["attention_mask"].unsqueeze(-1)
            return torch.nn.functional.normalize((of_tokens * there).sum(1) / there.sum(1), dim=1)

    torch.manual_seed(1)
    master, pupil = Sayer(teacher), Sayer(folder)
    words = pupil.model.embeddings.word_embeddings
    # Of so many words a batch says few
    words.sparse = True
    others = [weights for weights in pupil.model.parameters() if weights is not words.weight]
    optimizers = [torch.optim.SparseAdam([words.weight], _WORDS_RATE), torch.optim.AdamW(others, _RATE, weight_decay=0)]
    for step, batch in enumerate(batches):
        english, other = ([pair[side] for pair in batch] for side in (0, 1))
        with torch.no_grad():
            wanted = master.say(english)
        said = [pupil.say(other), *([pupil.say(english)] if step % _ENGLISH == 0 else [])]
        loss = sum(((1 - (one * wanted).sum(1)).mean() for one in said), torch.zeros(()))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        if step % 50 == 0:
            print(f"{step} of {len(batches)} steps, apart by {loss.item() / len(said):.2f}", flush=True)
    pupil.model.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    make(given.folder, given.steps)


if __name__ == "__main__":
    main()
