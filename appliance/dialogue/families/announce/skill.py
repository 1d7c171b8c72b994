"""Saying something in the other rooms."""

from __future__ import annotations

from appliance.dialogue.actions import Say
from appliance.dialogue.family import Family
from appliance.dialogue.quiet import is_quiet
from appliance.dialogue.reading.texts import verbatim
from appliance.dialogue.types import Context, Intent, Question, Reply


def announce(intent: Intent, context: Context) -> Reply:
    text, room = str(intent.slots.get("text", "")), str(intent.slots.get("room", ""))
    if Say not in context.can:
        return context.say("turn.not_here")
    if not text:
        return context.say("announce.what", question=Question(intent, ("message",)))
    rooms = context.device.rooms
    if not rooms:
        return context.say("announce.nobody")
    if is_quiet(context.kept.get("quiet"), context.now):
        return context.say("announce.quiet")
    wanted = tuple(name for name in rooms if room.casefold() in name.casefold())
    if not wanted:
        return context.say("announce.no_room", room=room, each=rooms)
    message = context.text("announce.message", text=text)
    return context.say(
        "announce.said_in" if room else "announce.said",
        room=room,
        text=text,
        actions=[Say(message, wanted if room else ())],
    )


FAMILY = Family(
    "announce",
    skills={"Announce": announce},
    acts=frozenset({"Announce"}),
    for_good=frozenset({"Announce"}),
    open_readers={
        "message": verbatim(
            "text",
            ("announce.announce", "announce.tell"),
            ("announce.link", "announce.in"),
            tail="announce.room=",
            free=("announce.that",),
        )
    },
    actions=(Say,),
    about_device=True,
)
