"""JSON that is safe inside a script element."""

from __future__ import annotations

import json


def dump_script_json(value: object) -> str:
    """Writes JSON as pure ASCII in which no tag, comment or entity can begin."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
