"""What was read lately is not read again, and never outlives its generation."""

from indexer.recent import Recent


def test_only_what_is_missing_is_read_and_the_longest_unused_is_forgotten() -> None:
    read: list[list[str]] = []

    def reading(keys: list[str]) -> dict[str, str]:
        read.append(keys)
        return {key: key.upper() for key in keys if key != "gone"}

    recent: Recent[str, str] = Recent(3)
    assert recent.of(1, ["a", "b", "a", "gone"], reading) == {"a": "A", "b": "B"}
    assert recent.of(1, ["b", "c", "d"], reading) == {"b": "B", "c": "C", "d": "D"}
    assert recent.of(1, ["a", "b"], reading) == {"a": "A", "b": "B"}
    assert read == [["a", "b", "gone"], ["c", "d"], ["a"]]
    assert recent.of(2, ["b"], reading) == {"b": "B"}
    assert read[-1] == ["b"]
