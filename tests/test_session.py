"""A session without any wire: the open utterance, a question asked again, what is remembered, coming back."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from appliance import turns
from appliance.asking import MOST_TURNS
from appliance.audio.endpointing import End, Heard, Pause
from appliance.errors import ProtocolError
from appliance.floor import OVERDUE_S
from appliance.replay import MOST_KEPT, TOLD_AGAIN_S
from appliance.session import Session
from appliance.sessions import FORGOTTEN_AFTER_S, MOST_GONE, Sessions
from tests.support.clock import Clock
from tests.support.faculties import FakeFaculties, FakeSink, willing

LIMIT_S = 1.0
UNIQUE = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"


def pcm(words: str, seconds: float = 0.1) -> bytes:
    """Sound in which the fake ears hear these words."""
    return words.encode().ljust(round(seconds * 16_000) * 2, b"\0")


class Place:
    """A person's page."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[turns.Event] = []
        self.was_displaced = False
        self.sink = FakeSink()
        session.attach(self, self.sink)

    def tell(self, event: turns.Event) -> None:
        self.events.append(event)

    def displaced(self) -> None:
        self.was_displaced = True

    def kinds(self, id: str) -> list[str]:
        return [type(event).__name__ for event in self.events if getattr(event, "id", None) == id]

    def texts(self, kind: type) -> list[str]:
        return [event.text for event in self.events if isinstance(event, kind)]  # type: ignore[union-attr]

    def say(self, words: str, id: str = "") -> str:
        id = self.session.begin(id)
        self.session.audio(pcm(words))
        self.session.end(id)
        return id


class House:
    """Sessions over fake faculties and a clock that stands still."""

    def __init__(self, fake: FakeFaculties, tasks: asyncio.TaskGroup) -> None:
        self.fake, self.clock = fake, Clock()
        self.observed: list[turns.Event] = []
        self.dropped: list[str] = []
        self.sessions = Sessions(
            fake.all(),
            tasks,
            language="en",
            max_audio_duration_s=LIMIT_S,
            observe=self.observed.append,
            dropped=self.dropped.append,
            clock=self.clock.now,
            later=self.clock.later,
        )

    def visit(self) -> Place:
        return Place(self.sessions.open("anna"))

    def revisit(self, place: Place, visitor: str = "anna") -> Place:
        """The same client on a new connection, the old one not noticed to be dead."""
        session = self.sessions.resume(place.session.secret, visitor)
        assert session is not None
        return Place(session)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - one step of the tasks under test
        await asyncio.sleep(0)


@asynccontextmanager
async def house(fake: FakeFaculties | None = None) -> AsyncIterator[House]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        yield House(fake or willing(), tasks)


def code(caught: pytest.ExceptionInfo[ProtocolError]) -> tuple[str, str | None]:
    return caught.value.code, caught.value.id


# The open utterance


async def test_what_is_said_between_begin_and_end_is_answered() -> None:
    async with house() as here:
        page = here.visit()
        page.say("hello", "7")
        await page.session.settled()
    assert page.kinds("7") == ["Listening", "PartialHeard", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert here.observed == page.events
    assert here.sessions.backlog_s == 0


async def test_turns_without_an_id_get_different_ones() -> None:
    async with house() as here:
        page = here.visit()
        ids = {page.say("one"), page.say("two"), page.session.text("three")}
        await page.session.settled()
    assert len(ids) == 3 and sorted(page.texts(turns.Answered)) == ["You said one", "You said three", "You said two"]


async def test_end_and_cancel_need_an_open_utterance_and_its_id() -> None:
    async with house() as here:
        page = here.visit()
        with pytest.raises(ProtocolError) as nothing:
            page.session.end("7")
        page.session.begin("7")
        with pytest.raises(ProtocolError, match="'8' is not being listened to, but '7' is") as other:
            page.session.end("8")
        with pytest.raises(ProtocolError) as another:
            page.session.cancel("8")
        page.session.cancel("7")
    assert (code(nothing), code(other), code(another)) == (("not_started", "7"), ("wrong_id", "8"), ("wrong_id", "8"))


async def test_a_second_begin_is_refused_and_the_first_goes_on() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        with pytest.raises(ProtocolError) as caught:
            page.session.begin("8")
        page.session.audio(pcm("hello"))
        page.session.end("7")
        await page.session.settled()
    assert code(caught) == ("already_started", "8")
    assert page.texts(turns.Answered) == ["You said hello"]


async def test_a_language_without_a_recognizer_is_refused() -> None:
    async with house() as here:
        with pytest.raises(ProtocolError) as caught:
            here.visit().session.begin("7", "de")
    assert code(caught) == ("no_recognizer", "7")


async def test_odd_bytes_are_refused_and_the_utterance_goes_on() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        with pytest.raises(ProtocolError, match="3 bytes") as caught:
            page.session.audio(b"\0\0\0")
        page.session.end()
    assert code(caught) == ("odd_bytes", "7")
    assert here.dropped == ["odd_bytes"]


async def test_stray_sound_is_counted_each_time_and_told_once() -> None:
    async with house() as here:
        page = here.visit()
        with pytest.raises(ProtocolError) as caught:
            page.session.audio(pcm(""))
        page.session.audio(pcm(""))
        page.say("hello")
        with pytest.raises(ProtocolError):
            page.session.audio(pcm(""))
    assert code(caught)[0] == "not_started"
    assert here.dropped == ["not_started"] * 3


async def test_an_utterance_ends_at_its_limit_and_whoever_ends_it_too_late_hears_no_complaint() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        page.session.audio(pcm("hello", LIMIT_S))
        assert page.session.open_id == "7"
        page.session.audio(pcm("more"))
        page.session.audio(pcm("stray"))
        page.session.end("7")
        await page.session.settled()
    assert [event for event in page.events if isinstance(event, turns.Endpoint)] == [turns.Endpoint("7", "limit")]
    assert here.dropped == ["audio_too_long", "not_started"]
    final = next(event for event in page.events if isinstance(event, turns.FinalHeard))
    assert (final.text, final.truncated) == ("hello", True)


async def test_someone_who_begins_and_falls_silent_does_not_keep_a_recognizer() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        here.clock.passes(LIMIT_S + OVERDUE_S - 0.01)
        assert page.session.open_id
        here.clock.passes(0.02)
        assert not page.session.open_id
        await page.session.settled()
    assert page.kinds("7")[:3] == ["Listening", "Endpoint", "FinalHeard"]


async def test_an_utterance_whose_sound_comes_slowly_is_waited_for() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        for _ in range(9):
            page.session.audio(pcm("", 0.1))
            here.clock.passes(0.8)
        assert page.session.open_audio_s == pytest.approx(0.9)
        here.clock.passes(2 * OVERDUE_S)
        assert not page.session.open_id, "nothing comes any more"
        await page.session.settled()


async def test_a_cancelled_utterance_is_forgotten_and_its_length_is_told() -> None:
    fake = willing()
    fake.hearing.clear()
    async with house(fake) as here:
        page = here.visit()
        page.session.begin("7")
        page.session.audio(pcm("never mind", 0.5))
        await until(lambda: page.texts(turns.PartialHeard))
        page.session.cancel()
        await page.session.settled()
    assert page.events[-1] == turns.Cancelled("7", 0.5)
    assert fake.forgotten == ["never mind"] and not fake.carried_out


class After:
    """An endpointer that has had enough after so many pieces; it keeps what it was told."""

    pause: Pause | None = None

    def __init__(self, pieces: int) -> None:
        self.left, self.partials, self.times = pieces, [], []  # type: ignore[var-annotated]

    def feed(self, heard: Heard) -> End | None:
        self.partials.append(heard.partial)
        self.times.append(heard.now)
        self.left -= 1
        return None if self.left else End("complete")


async def test_an_endpointer_hears_all_sound_and_ends_the_utterance() -> None:
    async with house() as here:
        page, rule = here.visit(), After(3)
        page.session.begin("7", endpointer=rule)
        page.session.audio(pcm("hello"))
        await until(lambda: page.texts(turns.PartialHeard))
        here.clock.passes(0.1)
        page.session.audio(pcm(""))
        page.session.audio(pcm(""))
        assert not page.session.open_id
        await page.session.settled()
    assert (rule.partials, rule.times) == (["", "hel", "hel"], [0.0, 0.1, 0.1])
    assert page.events.count(turns.Endpoint("7", "complete")) == 1
    assert page.texts(turns.Answered) == ["You said hello"]


async def test_how_long_it_will_be_waited_is_told_once_and_when_it_changes() -> None:
    async with house() as here:
        page, rule = here.visit(), After(9)
        page.session.begin("7", endpointer=rule)
        pauses = (None, Pause(0.2, 1.2), Pause(0.3, 1.2), Pause(0.4, 0.7), None, None)
        for rule.pause in pauses:
            page.session.audio(pcm(""))
        page.session.cancel()
    told = [event for event in page.events if isinstance(event, turns.Paused)]
    assert told == [turns.Paused("7", 200.0, 1200.0), turns.Paused("7", 400.0, 700.0), turns.Paused("7", 0.0, 0.0)]


async def test_an_endpointer_can_come_later_and_knows_who_waits_for_a_recognizer() -> None:
    fake = willing()
    fake.queued = True
    async with house(fake) as here:
        page, rule = here.visit(), After(1)
        page.session.begin("7")
        await until(lambda: "Queued" in page.kinds("7"))
        page.session.endpoint(rule)
        page.session.audio(pcm("hello"))
    assert rule.partials == [None]
    assert turns.Endpoint("7", "complete") in page.events


async def test_a_seventeenth_turn_under_way_is_refused() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        page = here.visit()
        for number in range(MOST_TURNS):
            page.session.text("hello", f"{number}")
        with pytest.raises(ProtocolError) as typed:
            page.session.text("hello", "one more")
        with pytest.raises(ProtocolError) as spoken:
            page.session.begin("one more")
        fake.thinking.set()
    assert code(typed) == code(spoken) == ("too_many_turns", "one more")


async def test_nothing_new_is_taken_up_while_the_device_stops() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        here.sessions.stop()
        with pytest.raises(ProtocolError) as caught:
            page.session.text("hello", "8")
        page.session.end("7")
        assert await page.session.settled(5)
    assert code(caught) == ("stopping", "8")
    assert "Answered" in page.kinds("7")


# Asked again


async def test_a_question_asked_again_on_a_later_visit_is_told_its_answer_and_not_carried_out_twice() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Answered", "SpeechStarted", "SpeechEnded"]
    assert after.sink.heard.count("sound") == 10


async def test_asked_again_before_the_first_answer_it_is_carried_out_once_and_spoken() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await asyncio.sleep(0)
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        after.session.text("set a timer", "1")
        fake.thinking.set()
        await after.session.settled()
    assert len(fake.carried_out) == 1
    assert after.kinds("1") == ["Answered", "SpeechStarted", "SpeechEnded"]
    assert after.sink.heard.count("sound") == 10


async def test_an_utterance_said_again_is_told_its_transcript_and_answer_and_not_decoded_again() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        sound = pcm("set a timer")
        for start in range(0, len(sound), 1000):  # cut otherwise than the first time
            after.session.audio(sound[start : start + 1000])
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert here.sessions.backlog_s == 0


async def test_a_drop_between_transcript_and_answer_costs_neither_and_carries_out_once() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        before = here.visit()
        before.say("set a timer", "1")
        while "FinalHeard" not in before.kinds("1"):  # noqa: ASYNC110 - the clock stands still
            await asyncio.sleep(0)
        after = here.revisit(before)
        after.say("set a timer", "1")
        fake.thinking.set()
        await after.session.settled()
    assert len(fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]


async def test_what_the_device_ended_by_itself_is_known_again_however_long_the_client_went_on() -> None:
    async with house() as here:
        before = here.visit()
        before.session.begin("1", endpointer=After(2))
        for piece in (pcm("set a timer"), pcm("")):
            before.session.audio(piece)
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1", endpointer=After(99))
        sound = pcm("set a timer") + pcm("") + pcm("and more")
        for start in range(0, len(sound), 1000):
            after.session.audio(sound[start : start + 1000])
        assert not after.session.open_id, "it ends where it ended the first time"
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "Endpoint", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]


async def test_what_turns_out_to_be_new_is_heard_while_it_is_still_being_said() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        after.session.audio(pcm("what time", 0.05))
        await asyncio.sleep(0)
        assert after.texts(turns.PartialHeard) == []
        after.session.audio(pcm("", 0.05))
        await until(lambda: after.texts(turns.PartialHeard))
        after.session.end()
        await after.session.settled()
    assert after.texts(turns.Answered) == ["You said what time"]


async def test_the_same_id_with_the_same_beginning_is_another_question() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        after.session.audio(pcm("set a timer") + b" for ten minutes")
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 2


async def test_the_same_id_with_other_words_or_other_sound_is_another_question() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        before.say("what time is it", "2")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("what day is it", "1")
        after.say("", "2")
        await after.session.settled()
    assert after.texts(turns.Answered) == ["You said what day is it", "You said "]
    assert after.texts(turns.FinalHeard) == [""]


async def test_an_utterance_cut_off_in_the_middle_is_forgotten_and_said_again_from_the_beginning() -> None:
    async with house() as here:
        before = here.visit()
        before.session.begin("1")
        before.session.audio(pcm("set a"))
        await asyncio.sleep(0)
        before.session.detach(before)
        after = here.revisit(before)
        after.say("set a timer", "1")
        await after.session.settled()
    assert [words for words, _ in here.fake.carried_out] == ["set a timer"]


async def test_a_client_whose_ids_are_all_alike_is_answered_each_time() -> None:
    async with house() as here:
        page = here.visit()
        for words in ("one", "one", "two"):
            page.session.text(words, "x")
            await page.session.settled()
        page.say("three", "x")
        page.session.text("four", "x")
        await page.session.settled()
    assert [words for words, _ in here.fake.carried_out] == ["one", "one", "two", "three", "four"]
    assert page.texts(turns.Answered) == [f"You said {words}" for words, _ in here.fake.carried_out]


async def test_two_clients_with_the_same_ids_never_hear_each_others_words() -> None:
    async with house() as here:
        anna, ben = here.visit(), here.visit()
        anna.say("my secret", UNIQUE)
        await anna.session.settled()
        ben.session.begin(UNIQUE)
        ben.session.end(UNIQUE)
        ben.session.text("what time is it", "1")
        await ben.session.settled()
    assert ben.texts(turns.FinalHeard) == [""]
    assert ben.texts(turns.Answered) == ["You said ", "You said what time is it"]


async def test_an_answer_is_told_again_for_half_a_minute_only() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await before.session.settled()
        here.clock.passes(TOLD_AGAIN_S + 1)
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 2


async def test_a_failure_is_told_again_too() -> None:
    async with house(willing(breaks_on="boom")) as here:
        before = here.visit()
        before.session.text("boom", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("boom", "1")
        await after.session.settled()
    assert after.kinds("1") == ["Failed"]


async def test_only_the_latest_questions_of_a_session_are_kept() -> None:
    async with house() as here:
        before = here.visit()
        for number in range(MOST_KEPT + 1):
            before.session.text("hello", f"id-{number}")
            await before.session.settled()
        after = here.revisit(before)
        after.session.text("hello", "id-0")
        after.session.text("hello", f"id-{MOST_KEPT}")
        await after.session.settled()
    assert len(here.fake.carried_out) == MOST_KEPT + 2


async def test_effects_carry_the_turns_unique_id_and_otherwise_a_name_of_their_own() -> None:
    async with house() as here:
        page = here.visit()
        for id in (UNIQUE, UNIQUE, "1", "1", ""):
            page.session.text("set a timer", id)
            await page.session.settled()
    keys = [key for _, key in here.fake.carried_out]
    assert keys[0] == f"anna/{UNIQUE}"
    assert len(set(keys)) == 5


# Coming back


async def test_what_is_remembered_outlives_the_connection_and_is_forgotten_after_minutes() -> None:
    async with house() as here:
        before = here.visit()
        secret = before.session.secret
        before.session.memory.volume = 20
        before.session.text("hello")
        await before.session.settled()
        before.session.detach(before)
        here.clock.passes(FORGOTTEN_AFTER_S - 1)
        after = here.revisit(before)
        assert (after.session.memory.volume, after.session.memory.last_heard) == (20, "hello")
        here.clock.passes(10 * FORGOTTEN_AFTER_S)
        assert here.sessions.resume(secret, "anna") is after.session
        after.session.detach(after)
        here.clock.passes(FORGOTTEN_AFTER_S + 1)
        assert here.sessions.resume(secret, "anna") is None


async def test_a_session_comes_back_only_to_its_visitor_and_only_by_its_secret() -> None:
    async with house() as here:
        page = here.visit()
        secret = page.session.secret
        assert len(secret) >= 20 and secret != here.visit().session.secret
        assert here.sessions.resume(secret, "ben") is None
        assert here.sessions.resume("", "anna") is None
        assert here.sessions.resume(secret, "anna") is page.session


async def test_who_was_never_told_a_secret_leaves_nothing_behind() -> None:
    async with house() as here:
        page = here.visit()
        page.session.text("hello")
        page.session.detach(page)
        await page.session.settled()
        assert not here.sessions._gone and not here.sessions._present
    assert here.fake.carried_out, "what was asked is carried out all the same"
    assert page.texts(turns.Answered) == []


async def test_what_was_said_is_not_kept_longer_than_it_is_needed() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("1")
        assert page.session._floor._open is not None
        sound = weakref.ref(page.session._floor._open.sound)
        page.session.audio(pcm("hello"))
        page.session.end("1")
        await page.session.settled()
        gc.collect()
        assert sound() is None


async def test_no_more_than_so_many_are_remembered() -> None:
    async with house() as here:
        first = here.visit()
        secret = first.session.secret
        first.session.detach(first)
        for _ in range(MOST_GONE):
            page = here.visit()
            assert page.session.secret
            page.session.detach(page)
        assert here.sessions.resume(secret, "anna") is None
        assert len(here.sessions._gone) == len(here.sessions._returning) == MOST_GONE


async def test_the_old_connection_is_told_when_its_client_has_come_back_by_a_new_one() -> None:
    async with house() as here:
        before = here.visit()
        after = here.revisit(before)
        assert before.was_displaced and not after.was_displaced
        before.session.detach(before)  # its socket is noticed to be dead at last
        after.session.text("hello", "1")
        await after.session.settled()
    assert after.kinds("1") and not before.kinds("1")


async def test_leaving_silences_the_reply_and_carries_out_what_was_asked() -> None:
    fake = willing()
    fake.speaking.clear()
    async with house(fake) as here:
        page = here.visit()
        page.session.text("long", "1")
        await until(lambda: "SpeechStarted" in page.kinds("1"))
        page.session.text("set a timer", "2")
        page.session.detach(page)
        await page.session.settled()
    assert [words for words, _ in fake.carried_out] == ["long", "set a timer"]
    assert page.sink.heard[-1] == "flush"


# What everybody hears


async def test_stop_is_one_event_whoever_says_it() -> None:
    async with house() as here:
        page = here.visit()
        page.session.text("stop", "1")
        page.session.text("quiet", "2")
        await page.session.settled()
    assert here.observed.count(turns.Silenced("1")) == 1
    assert here.observed.count(turns.VolumeChanged(10)) == 1


async def test_an_announcement_is_told_and_spoken() -> None:
    async with house() as here:
        page = here.visit()
        page.session.announce(turns.Announcement("a", "en", "Time is up.", "timer"))
        await page.session.settled()
    assert page.kinds("a") == ["Announced", "SpeechStarted", "SpeechEnded"]
