"""Notes: dictated, read back, deleted."""

from __future__ import annotations

from appliance.dialogue.actions import AddNote, RemoveNotes
from appliance.dialogue.family import Family
from appliance.dialogue.reading.texts import text_of, verbatim
from appliance.dialogue.things import Note
from appliance.dialogue.types import Context, Intent, Question, Reply

_READ_AT_ONCE = 5


def take(intent: Intent, context: Context) -> Reply:
    text = str(intent.slots.get("text", ""))
    if not text:
        return context.say("note.what", question=Question(intent, ("text",)))
    return context.say("note.taken", text=text, actions=[AddNote(text)])


def read(intent: Intent, context: Context) -> Reply:
    notes = _asked(intent, context)
    if not notes:
        return context.say("note.none_about" if intent.slots.get("about") and context.notes else "note.none")
    if intent.slots.get("which") == "last":
        return context.say("note.one", text=notes[-1].text)
    shown = notes[-_READ_AT_ONCE:]
    return context.say("note.read", n=len(notes), texts="; ".join(note.text for note in shown), text=notes[-1].text)


def delete(intent: Intent, context: Context) -> Reply:
    notes = _asked(intent, context)
    if not notes:
        return context.say("note.none_about" if intent.slots.get("about") and context.notes else "note.none")
    if len(notes) > 1 and intent.slots.get("which") != "last" and not intent.slots.get("about"):
        return context.say("note.which", n=len(notes), question=Question(intent, ("about", "which_note")))
    return context.say("note.deleted", text=notes[-1].text, actions=[RemoveNotes((notes[-1].id,))])


def delete_all(intent: Intent, context: Context) -> Reply:
    if not context.notes:
        return context.say("note.none")
    if not intent.slots.get("confirmed"):
        return context.say("note.delete_all", n=len(context.notes), question=Question(intent))
    return context.say(
        "note.deleted_all", n=len(context.notes), actions=[RemoveNotes(tuple(note.id for note in context.notes))]
    )


def _asked(intent: Intent, context: Context) -> tuple[Note, ...]:
    about = str(intent.slots.get("about", "")).casefold()
    if not about:
        return context.notes
    words = {word for word in about.split() if len(word) > 2}
    found = tuple(note for note in context.notes if about in note.text.casefold())
    return found or tuple(note for note in context.notes if words & set(note.text.casefold().split()))


FAMILY = Family(
    "note",
    skills={"TakeNote": take, "ReadNotes": read, "DeleteNote": delete, "DeleteAllNotes": delete_all},
    acts=frozenset({"TakeNote", "DeleteNote", "DeleteAllNotes"}),
    changes=frozenset({"DeleteNote", "DeleteAllNotes"}),
    open_readers={
        "text": verbatim("text", ("note.take", "note.note"), ("note.link",)),
        "about": text_of(
            "about", 5, links=("note.about_link",), never=("note.note", "question"), ahead=("note.about_link",)
        ),
    },
    thing="note.note",
    actions=(AddNote, RemoveNotes),
)
