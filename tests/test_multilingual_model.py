"""A model made as the multilingual ones are: pieces of a Unigram instead of words, XLM-RoBERTa instead of BERT.

None was found in a package index, so this one knows no language: its weights are by chance. What is asked is whether
the service makes of it what sentence-transformers does.
"""

from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import OnnxEncoder, PlainEncoder, TextKind, open_encoder
from tests.conftest import CONTENT

TEXTS = (
    "Passwort vergessen, Konto gesperrt",
    "L'imprimante à l'étage n'imprime plus",
    "La cuenta está bloqueada después del cambio de contraseña",
    "日本語のテキスト",
    "What does MTTR mean?",
    "two  spaces\n\nand a\u00a0hard one",
    "0x80070005",
    "",
    "Druckerwarteschlange " * 200,
)
# In the order of their numbers
SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    folder = tmp_path_factory.mktemp("multilingual")
    pieces = Tokenizer(models.Unigram())
    pieces.normalizer = normalizers.NFKC()
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    texts = [*TEXTS, *(file.read_text("utf-8") for file in sorted(CONTENT.rglob("*.md"))[:40])]
    unknown = SPECIAL["unk_token"]
    trainer = trainers.UnigramTrainer(vocab_size=3000, special_tokens=list(SPECIAL.values()), unk_token=unknown)
    pieces.train_from_iterator(texts, trainer)
    pieces.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        model_max_length=130,
        model_input_names=["input_ids", "attention_mask"],
        **SPECIAL,
    )
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=132,
        type_vocab_size=1,
        pad_token_id=1,
        initializer_range=0.3,  # so that a vector depends on its text, as in a trained model
    )
    XLMRobertaModel(config).save_pretrained(folder / "parts")
    tokenizer.save_pretrained(folder / "parts")
    SentenceTransformer(
        modules=[modules.Transformer(str(folder / "parts"), max_seq_length=128), modules.Pooling(64, "mean")],
        prompts={"query": "query: ", "passage": "passage: "},
        device="cpu",
    ).save_pretrained(str(folder / "whole"))
    return folder / "whole"


def test_it_is_exported_and_says_what_the_original_says(model: Path, tmp_path: Path) -> None:
    exported, plain = open_encoder("onnx", str(model), tmp_path), PlainEncoder(str(model))
    assert isinstance(exported, OnnxEncoder)
    assert exported.max_tokens == plain.max_tokens < 128
    kinds: tuple[TextKind, ...] = ("passage", "query")
    for kind in kinds:
        ours, theirs = exported.encode(TEXTS, kind), plain.encode(TEXTS, kind)
        assert np.sum(ours * theirs, axis=1).min() > 0.98
        # So that this says something: no two of them mean the same to it
        assert np.sort((theirs @ theirs.T).ravel())[-len(TEXTS) - 1] < 0.98
    assert [exported.count_tokens(text) for text in TEXTS] == [plain.count_tokens(text) for text in TEXTS]
