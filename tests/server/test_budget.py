"""How fast one connection may send."""

from __future__ import annotations

import random

from websockets.frames import Frame, Opcode

from appliance.server.budget import REAL_TIME_LIMIT, Frames, Pace


def test_sound_in_real_time_never_waits() -> None:
    pace = Pace(now=0.0, rate=REAL_TIME_LIMIT, burst=10)
    assert all(pace.delay(0.032, now=i * 0.032) == 0 for i in range(10_000))


def test_sound_ten_times_too_fast_is_slowed_to_the_limit_after_the_burst() -> None:
    pace, now, sent_s = Pace(now=0.0, rate=1.5, burst=10), 0.0, 0.0
    while sent_s < 100:
        now += max(0.003, pace.delay(0.032, now))
        sent_s += 0.032
    assert sent_s <= 10 + 1.5 * now + 0.05
    assert now < 70


def frames(dice: random.Random, count: int) -> list[bytes]:
    lengths = (0, 1, 2, 125, 126, 127, 65_535, 65_536, 70_000)
    return [
        Frame(dice.choice((Opcode.BINARY, Opcode.PING, Opcode.TEXT)), bytes(dice.choice(lengths[:4]))).serialize(
            mask=dice.random() < 0.9
        )
        if dice.random() < 0.5
        else Frame(Opcode.BINARY, bytes(dice.choice(lengths))).serialize(mask=True)
        for _ in range(count)
    ]


def test_frames_are_counted_and_cut_at_their_ends_however_they_arrive() -> None:
    dice = random.Random(8)
    for _ in range(50):
        sent = frames(dice, 40)
        stream, ends = b"".join(sent), {sum(map(len, sent[:n])) for n in range(41)}
        cutter, waiting, given, counted = Frames(), bytearray(), 0, 0
        while stream or waiting:
            size = dice.choice((1, 2, 3, 7, 100, 100_000))
            waiting, stream = waiting + stream[:size], stream[size:]
            while True:
                most = dice.choice((1, 3, 16))
                size, found = cutter.cut(waiting, most)
                given, counted, waiting = given + size, counted + found, waiting[size:]
                assert found <= most
                if found == most and waiting:
                    assert given in ends, "what is left begins with a frame's header"
                if not size:
                    break
        assert counted == 40
