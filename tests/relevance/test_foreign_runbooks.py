"""Folders of Markdown by people who never heard of us, as they are."""

from pathlib import Path

import pytest

from indexer import Encoder, PassageIndex, VectorCache, WorkingTree, update
from kb_service import Query, Searcher
from tests.conftest import EVAL

pytestmark = [
    pytest.mark.relevance,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the labelled sets are not at {EVAL}: nothing of them was asked"),
]


def searcher(folder: str, encoder: Encoder, cache: Path, data: Path, objects: int) -> Searcher:
    index = PassageIndex(data / "index.db", encoder)
    report = update(WorkingTree(EVAL / folder), index, encoder, VectorCache(cache / "vectors.db", encoder.identity))
    assert (report.objects, report.refused) == (objects, 0)
    return Searcher(index, encoder)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("pod keeps restarting", "kubernetes/KubePodCrashLooping"),
        ("pod crash looping", "kubernetes/KubePodCrashLooping"),
        ("KubePodCrashLooping", "kubernetes/KubePodCrashLooping"),
        ("etcd has no leader", "etcd/etcdNoLeader"),
        ("certificate of the kubelet client expires", "kubernetes/KubeletClientCertificateExpiration"),
    ],
)
def test_kube_prometheus(question: str, wanted: str, encoder: Encoder, model_cache: Path, tmp_path: Path) -> None:
    found = searcher("kubeprom/corpus", encoder, model_cache, tmp_path, 108).search(Query(question)).hits
    assert found[0].id == wanted


def test_front_matter_of_another_program_goes_in_whole(encoder: Encoder, model_cache: Path, tmp_path: Path) -> None:
    found = searcher("govuk-docs/corpus", encoder, model_cache, tmp_path, 242).search(
        Query("rotate database credentials")
    )
    assert any("rotating-rds" in hit.id for hit in found.hits[:3])
