"""Which model is chosen, and what is said about those that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ModelError
from appliance.language import Language
from appliance.models import choose
from appliance.models.catalogue import CATALOGUE, by_name, of
from appliance.models.choose import find_recognizer, find_voice, how_to_get
from appliance.models.whole import CONTENTS, check_recognizer, check_sha256

VOSK_FILES = ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst")


def recognizer(directory: Path, name: str, without: str = "") -> Path:
    for file in VOSK_FILES:
        if file != without:
            path = directory / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    return directory / name


def voice(directory: Path, name: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.onnx.json").write_text("{}")
    (directory / f"{name}.onnx").write_bytes(b"x")
    return directory / f"{name}.onnx"


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


@pytest.mark.parametrize(("language", "name"), [("en", "stimme-en-small-0.2"), ("de", "stimme-de-small-0.1")])
def test_a_language_is_heard_by_the_embedded_recognizer_if_nothing_else_is_there(
    tmp_path: Path, language: Language, name: str
) -> None:
    choice = find_recognizer(language, tmp_path / "models")
    assert choice is not None
    assert (choice.name, choice.why, choice.engine) == (name, "comes with Stimme", "vosk")
    assert choice.path == tmp_path / "models" / name
    check_recognizer(choice.path)


def test_a_fetched_recognizer_is_preferred_to_the_embedded_one(tmp_path: Path) -> None:
    path = recognizer(tmp_path, "vosk-model-small-en-us-0.15")
    recognizer(tmp_path, "vosk-model-small-en-in-0.4")
    choice = find_recognizer("en", tmp_path)
    assert choice is not None and (choice.path, choice.why) == (path, "best on disk")


def test_a_small_model_that_is_not_catalogued_is_used_and_a_big_one_is_not(tmp_path: Path) -> None:
    recognizer(tmp_path, "vosk-model-de-0.21")
    embedded = find_recognizer("de", tmp_path)
    assert embedded is not None and embedded.why == "comes with Stimme"
    small = recognizer(tmp_path, "vosk-model-small-de-zamia-0.3")
    choice = find_recognizer("de", tmp_path)
    assert choice is not None and choice.path == small


@pytest.mark.parametrize("configured", ["vosk-model-de-0.21", "{directory}/vosk-model-de-0.21"])
def test_a_configured_recognizer_comes_first(tmp_path: Path, configured: str) -> None:
    big = recognizer(tmp_path, "vosk-model-de-0.21")
    recognizer(tmp_path, "vosk-model-small-de-0.15")
    choice = find_recognizer("de", tmp_path, configured.format(directory=tmp_path))
    assert choice is not None and (choice.path, choice.why) == (big, "configured")


def test_a_configured_recognizer_that_is_missing_is_an_error_and_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model directory; 'stimme models fetch vosk-model-small-de"):
        find_recognizer("de", tmp_path, "vosk-model-small-de-0.15")


def test_what_was_prepared_at_build_time_is_found_and_what_the_person_fetched_is_preferred(tmp_path: Path) -> None:
    prepared, own = tmp_path / "prepared", tmp_path / "own"
    built_in = recognizer(prepared, "stimme-de-small-0.1")
    choice = find_recognizer("de", own, prepared=prepared)
    assert choice is not None and (choice.path, choice.why) == (built_in, "comes with Stimme")
    assert not own.exists()
    path = recognizer(prepared, "vosk-model-small-de-0.15")
    choice = find_recognizer("de", own, prepared=prepared)
    assert choice is not None and choice.path == path
    path = recognizer(own, "vosk-model-small-de-0.15")
    choice = find_recognizer("de", own, prepared=prepared)
    assert choice is not None and choice.path == path
    shipped = voice(prepared, "de_DE-thorsten-medium")
    for configured in ("", "de_DE-thorsten-medium"):
        speaker = find_voice("de", own, configured, prepared=prepared)
        assert speaker is not None and speaker.path == shipped


def test_an_embedded_recognizer_may_be_configured_by_name(tmp_path: Path) -> None:
    recognizer(tmp_path, "vosk-model-small-de-0.15")
    choice = find_recognizer("de", tmp_path, "stimme-de-small-0.1")
    assert choice is not None and (choice.name, choice.why) == ("stimme-de-small-0.1", "configured")
    check_recognizer(choice.path)


def test_what_is_missing_is_said_with_how_to_get_it() -> None:
    assert how_to_get("recognizer", "de") == (
        "no recognizer for 'de' on disk: 'stimme models fetch vosk-model-small-de-0.15' gets one (46 MB)"
    )


@pytest.mark.parametrize("missing", VOSK_FILES)
def test_a_recognizer_without_one_of_its_files_is_named(tmp_path: Path, missing: str) -> None:
    path = recognizer(tmp_path, "vosk-model-small-en-us-0.15", without=missing)
    with pytest.raises(ModelError, match=f"{path}: not a whole Vosk model, missing or empty: .*{Path(missing).name}"):
        find_recognizer("en", tmp_path, path.name)


def test_a_damaged_model_that_nobody_chose_by_name_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer(tmp_path, "vosk-model-small-en-us-0.15", without="am/final.mdl")
    choice = find_recognizer("en", tmp_path, unpack=False)
    assert choice is not None and choice.why == "comes with Stimme"
    assert "not a whole Vosk model" in caplog.text
    assert not choice.path.exists(), "it was only looked for"


def test_a_recognizer_in_the_old_layout_is_known(tmp_path: Path) -> None:
    for file in ("final.mdl", "mfcc.conf", "HCLG.fst"):
        (tmp_path / file).write_bytes(b"x")
    check_recognizer(tmp_path)
    (tmp_path / "mfcc.conf").unlink()
    with pytest.raises(ModelError, match=r"missing or empty: mfcc\.conf"):
        check_recognizer(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_an_unreadable_list_of_contents_is_named(content: str, tmp_path: Path) -> None:
    path = recognizer(tmp_path, "vosk-model-of-my-own")
    (path / CONTENTS).write_text(content)
    with pytest.raises(ModelError, match=f"{path / CONTENTS}: cannot be read"):
        check_recognizer(path)


def test_what_was_fetched_is_used_without_its_list_of_contents(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = recognizer(tmp_path, "vosk-model-small-en-us-0.15")
    (path / CONTENTS).write_text("{")
    check_recognizer(path)
    assert "its files are not checked against it" in caplog.text


def test_english_is_spoken_by_the_embedded_voice(tmp_path: Path) -> None:
    choice = find_voice("en", tmp_path)
    assert choice is not None
    assert (choice.name, choice.why, choice.engine) == ("en_US-joe-medium", "comes with Stimme", "piper")


def test_a_voice_on_disk_is_preferred_to_the_embedded_one(tmp_path: Path) -> None:
    path = voice(tmp_path, "en_GB-alba-medium")
    choice = find_voice("en", tmp_path)
    assert choice is not None and (choice.path, choice.why) == (path, "best on disk")


def test_the_catalogued_voice_is_preferred_to_others(tmp_path: Path) -> None:
    voice(tmp_path, "de_DE-eva_k-x_low")
    path = voice(tmp_path / "de_DE-thorsten-medium", "de_DE-thorsten-medium")
    choice = find_voice("de", tmp_path)
    assert choice is not None and choice.path == path


def test_a_voice_that_is_still_being_fetched_is_not_used(tmp_path: Path) -> None:
    voice(tmp_path / ".incoming", "de_DE-thorsten-medium")
    choice = find_voice("de", tmp_path)
    assert choice is not None and choice.engine == "pico"


def test_german_without_a_piper_voice_is_spoken_by_pico(tmp_path: Path) -> None:
    choice = find_voice("de", tmp_path)
    assert choice is not None
    assert (choice.name, choice.why, choice.engine) == ("pico-de-DE", "comes with Stimme", "pico")
    published = by_name(choice.name)
    assert published is not None
    for file in published.files:
        assert (choice.path.parent / file.name).stat().st_size == file.size_bytes
        check_sha256(choice.path.parent / file.name, file.sha256, "install py-nanotts again")


@pytest.mark.parametrize("configured", ["pico", "pico-en-US"])
def test_pico_may_be_configured(tmp_path: Path, configured: str) -> None:
    choice = find_voice("en", tmp_path, configured)
    assert choice is not None and (choice.name, choice.why) == ("pico-en-US", "configured")


@pytest.fixture
def no_pico(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_pico_voice", lambda language: None)


@pytest.mark.usefixtures("no_pico")
def test_without_pico_german_is_spoken_by_espeak(tmp_path: Path) -> None:
    choice = find_voice("de", tmp_path)
    assert choice is not None
    assert (choice.name, choice.why) == ("espeak-ng de", "no other voice for 'de' on disk")
    assert choice.path.name == "espeak-ng"
    with pytest.raises(ModelError, match="'pico' needs the Python package py-nanotts; install Stimme again"):
        find_voice("de", tmp_path, "pico")


def test_espeak_may_be_configured(tmp_path: Path) -> None:
    choice = find_voice("en", tmp_path, "espeak-ng")
    assert choice is not None and (choice.engine, choice.why) == ("espeak-ng", "configured")


@pytest.mark.usefixtures("no_programs", "no_pico")
def test_without_espeak_it_is_said_what_is_missing(tmp_path: Path) -> None:
    assert find_voice("de", tmp_path) is None
    assert how_to_get("voice", "de") == (
        "no voice for 'de' on disk: 'stimme models fetch de_DE-thorsten-medium' gets one (63 MB), "
        "or the package espeak-ng speaks instead"
    )
    with pytest.raises(ModelError, match="install the package espeak-ng"):
        find_voice("de", tmp_path, "espeak-ng")


@pytest.mark.parametrize("configured", ["de_DE-karlsson-low", "{directory}/de_DE-karlsson-low.onnx"])
def test_a_configured_voice_comes_first(tmp_path: Path, configured: str) -> None:
    path = voice(tmp_path, "de_DE-karlsson-low")
    voice(tmp_path, "de_DE-thorsten-medium")
    choice = find_voice("de", tmp_path, configured.format(directory=tmp_path))
    assert choice is not None and (choice.path, choice.why) == (path, "configured")


def test_the_embedded_voice_may_be_configured_by_name(tmp_path: Path) -> None:
    voice(tmp_path, "en_GB-alba-medium")
    choice = find_voice("en", tmp_path, "en_US-joe-medium")
    assert choice is not None and (choice.path.name, choice.why) == ("en_US-joe-medium.onnx", "configured")


def test_a_configured_voice_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="voice 'de_DE-thorsten-medium' is not in .*; 'stimme models fetch de_DE-thor"):
        find_voice("de", tmp_path, "de_DE-thorsten-medium")


def test_a_voice_without_its_settings_is_named(tmp_path: Path) -> None:
    path = voice(tmp_path, "de_DE-thorsten-medium")
    path.with_name(f"{path.name}.json").unlink()
    with pytest.raises(ModelError, match=f"{path}.json: missing or empty"):
        find_voice("de", tmp_path, path.stem)


def test_the_catalogue_is_complete_and_unambiguous() -> None:
    assert len({model.name for model in CATALOGUE}) == len(CATALOGUE)
    for model in CATALOGUE:
        assert by_name(model.name) is model and model in of(model.kind, model.language)
        assert model.licence and model.files
        assert model.source.startswith("https://") or "comes with Stimme" in model.note
        assert len(model.note) > 30, "what it is good for, in a sentence"
        for file in model.files:
            assert len(file.sha256) == 64 and int(file.sha256, 16) and file.size_bytes > 0
    assert by_name("unheard-of") is None
