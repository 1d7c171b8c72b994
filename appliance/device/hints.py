"""What the device says about itself, in its languages."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.language import Language

Hint = Mapping[Language, str]

NO_MICROPHONE: Hint = {
    "en": "I cannot hear anything. Please connect a microphone.",
    "de": "Ich kann nichts hören. Bitte schließ ein Mikrofon an.",
}
MICROPHONE_BACK: Hint = {"en": "The microphone is back.", "de": "Das Mikrofon ist wieder da."}
MUTED: Hint = {"en": "The microphone is switched off.", "de": "Das Mikrofon ist ausgeschaltet."}
UNMUTED: Hint = {"en": "The microphone is on.", "de": "Das Mikrofon ist an."}
DEVICE: Hint = {"en": "the device", "de": "das Gerät"}
"""What the device is called among the places that something can be announced at."""

NO_RECOGNIZER: Hint = {
    "en": "I cannot understand spoken English yet. A recognizer must be fetched first.",
    "de": "Gesprochenes Deutsch verstehe ich noch nicht. Dafür muss erst eine Spracherkennung geladen werden.",
}
