"""A third language is a grammar, its words and a sentence file for each family; nothing else knows it."""

from pathlib import Path

import pytest

from appliance.dialogue.types import Memory
from appliance.state.database import Database
from tests.support import esperanto


@pytest.mark.parametrize(
    ("text", "meant", "said"),
    [
        ("Bonvolu metu la horloĝon al dek minutoj!", "EggTimer", "La horloĝo sonoros post dek minutoj."),
        ("horloĝo unu minuto", "EggTimer", "La horloĝo sonoros post unu minuto."),
        ("metu horloĝo dek minutoj sed ne nun", "EggTimer", "Ĉu meti horloĝon?"),
        ("saluton mondo", "", "Mi ne komprenas."),
    ],
)
async def test_a_tiny_third_language_is_understood_and_answered(
    text: str, meant: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = esperanto.learn(tmp_path, monkeypatch)
    with Database(None) as database:
        answer = await esperanto.mind(families, database).answer(text, "eo", Memory())
    assert (answer.intent.name, answer.reply.text) == (meant, said)
