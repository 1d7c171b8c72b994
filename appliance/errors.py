"""Everything that can go wrong on purpose, and the one place where each is caught.

    StimmeError
    ├─ ConfigError (ValueError)     cli: one line on stderr, exit 2
    ├─ ModelError (OSError)         cli: refuses to start, names the path or the checksum, exit 3
    ├─ AudioDeviceError (OSError)   device: logged once, reopened with back-off; the server lives on
    ├─ WavError (ValueError)        commands: that file is skipped (audio/pcm.py)
    ├─ ProtocolError (ValueError)   whoever speaks with the client: an error with its code; others untouched
    ├─ FacultyError                 conversation: this turn fails with a code; others, and typed text, go on
    └─ SkillError                   dialogue: this turn fails aloud, the next one works

Anything else is a bug: traceback, exit code 1, and systemd restarts the service.
A message says what was wrong, with which value, and what was expected.
"""


class StimmeError(Exception):
    """Base of all errors that Stimme raises itself."""


class ConfigError(StimmeError, ValueError):
    """A setting is unknown, malformed or out of range."""


class ModelError(StimmeError, OSError):
    """A recognizer or voice is missing, damaged, or could not be fetched."""


class AudioDeviceError(StimmeError, OSError):
    """A microphone or loudspeaker cannot be opened or went away."""


class ProtocolError(StimmeError, ValueError):
    """A client sent something that docs/protocol.md does not allow.

    code: one of the codes listed there. id: the turn it belongs to, if any.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.id = id


class FacultyError(StimmeError):
    """What hears or speaks cannot do so at present: full, or out of reach.

    code: one of docs/protocol.md's. hint: what to do about it.
    """

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.hint = code, hint


class SkillError(StimmeError):
    """A skill could not answer. The message is spoken, so it is a sentence in the user's language."""
