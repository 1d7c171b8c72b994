"""JSON from strangers."""

from __future__ import annotations

import json
from typing import Any


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object that can be sent back as JSON. Raises ValueError: "not JSON (…)" or "JSON, but not an object"."""
    try:
        found = json.loads(text)
        # Half a surrogate pair, NaN and 1e999 pass json.loads, but are not JSON (RFC 8259, 6 and 8.1).
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(found, dict):
        raise ValueError("JSON, but not an object")
    return found
