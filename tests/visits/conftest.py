import pytest

from tests.visits.begun import begin


@pytest.fixture
def running(database, by):
    """The database with the small trial in force; two sites are open, one is not."""
    return begin(database, by)
