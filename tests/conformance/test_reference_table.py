import json

from mlx_engine.models.configuration import reference
from tests.conformance.reference_table import table


def test_the_table_is_that_of_the_installed_versions() -> None:
    """`python -m tests.conformance.reference_table` updates it."""
    assert json.loads(json.dumps(table())) == json.loads(reference.PATH.read_text())
