"""Terms with all their names."""

import pytest

from kb_service.glossary import names_of


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("MTTR (mean time to resolve)", ("MTTR", "mean time to resolve")),
        ("SLA: service level agreement", ("SLA", "service level agreement")),
        ("ETA – estimated time of arrival", ("ETA", "estimated time of arrival")),
        ("Hypercare", ("Hypercare",)),
        ("RFI/RFP", ("RFI/RFP",)),
        ("On-call", ("On-call",)),
    ],
)
def test_names(heading: str, names: tuple[str, ...]) -> None:
    assert names_of(heading) == names
