"""While texts are still being encoded the order is no worse than by words alone, which need no vectors."""

from pathlib import Path

import numpy as np
import pytest

from indexer import Encoder
from kb_service.measures import interval
from tests.conftest import EVAL
from tests.relevance.partly import measured
from tests.relevance.sets import ALL, Development

pytestmark = [
    pytest.mark.relevance,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the labelled sets are not at {EVAL}: nothing of them was asked"),
]
# How far the end of an interval moves from one processor to another
ROUNDING = 0.002


@pytest.mark.parametrize("development", ALL, ids=lambda one: one.name)
def test_the_order_of_a_part_is_no_worse_than_words(
    development: Development, encoder: Encoder, model_cache: Path
) -> None:
    for share, one in measured(development, encoder, model_cache, (0.3, 0.6)).items():
        gains = (np.array(one.fused) - np.array(one.words)).tolist()
        assert interval(gains, one.cluster_of)[1] >= -ROUNDING, f"{share:.0%} encoded"
