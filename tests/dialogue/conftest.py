"""What the tests of understanding and answering share."""

import pytest

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.understanding import Understanding


@pytest.fixture(scope="session")
def understanding() -> Understanding:
    """One for all tests: it keeps nothing between sentences but a cache."""
    return Understanding(FAMILIES)
