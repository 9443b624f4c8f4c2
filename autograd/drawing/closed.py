"""A page that is closed: one HTML file that needs no network, and whose policy lets nothing else run.

Its content-security-policy allows its own style sheet and its own script by their hashes. This room knows
nothing of the project.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

_TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def closed_page(title: str, body: str, style: str, script: str, data: dict[str, Any]) -> str:
    """The page as one HTML document.

    body    markup, in which all text from outside is escaped already
    data    what the script finds as JSON in the element with the identifier data

    >>> page = closed_page("A page", "<p>a</p>", "p { color: red }", "'use strict';", {"a": "</script>"})
    >>> page.count("<script"), page.count("</script"), page.count("sha256-")
    (2, 2, 2)
    """
    return _TEMPLATE.format(
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'",
        title=escape(title),
        style=style,
        body=body,
        data=_embedded(data),
        script=script,
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _embedded(data: dict[str, Any]) -> str:
    """JSON that can stand in HTML: no < that would open or close an element there."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
