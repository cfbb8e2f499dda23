"""All rules of ``kb check``, in the order in which they are told."""

from collections.abc import Mapping

from indexer import (
    check_abbreviations,
    check_commands,
    check_completeness,
    check_duplicates,
    check_external,
    check_form,
    check_links,
    check_secrets,
    check_writing,
)
from indexer.findings import Rule

_MODULES = (
    check_form,
    check_secrets,
    check_links,
    check_completeness,
    check_duplicates,
    check_writing,
    check_abbreviations,
    check_commands,
    check_external,
)
RULES: Mapping[str, Rule] = {rule.name: rule for module in _MODULES for rule in module.RULES}
