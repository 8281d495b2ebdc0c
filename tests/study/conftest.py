import pytest

from tests.study.tiny import Folder


@pytest.fixture
def tiny(tmp_path):
    """The tiny study in a folder of its own."""
    return Folder(tmp_path)
