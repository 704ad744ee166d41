"""The frontend's page: greetings of the three services, and a picture of the zones they came from."""

import html
import re

NO_BACKEND = "no backend found"

_ZONE = re.compile(r"\bAZ-([a-z])\b")
# Colours as in the workshop's page: the frontend's, Node.js' and Crystal's text.
_BLUE, _GREEN, _AMBER = "LightSkyBlue", "LightGreen", "#FFC200"
_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>ECS demo</title>
<style>body {{ background-color: #666666; text-align: center; }}</style>
<script>window.onload = () => setTimeout(() => location.reload(), 50);</script>
</head>
<body>
{body}
</body>
</html>
"""


def render(zone_text: str, code_hash: str, nodejs: str, crystal: str) -> str:
    """Return the page; `nodejs` and `crystal` are the backends' answers, or NO_BACKEND, which is not shown."""
    lines = [(f"Rails frontend: Hello! from {zone_text} running {code_hash}", _BLUE)]
    lines += [(text, color) for text, color in ((nodejs, _GREEN), (crystal, _AMBER)) if text != NO_BACKEND]
    headings = [f'<h2 style="color: {color};">{html.escape(text.strip())}</h2>' for text, color in lines]
    return _PAGE.format(body="\n".join([*headings, picture(zone_text, nodejs, crystal)]))


def picture(zone_text: str, nodejs: str, crystal: str) -> str:
    """Return an SVG of the services by zone; nothing where a zone is not known, as in the original."""
    letters = [_letter(text) for text in (zone_text, nodejs, crystal)]
    if None in letters:
        return ""
    name = f"{'-'.join(str(letter) for letter in letters)}.svg"
    places = ((120, 10, "frontend", _BLUE), (20, 110, "nodejs", _GREEN), (220, 110, "crystal", _AMBER))
    boxes = [
        _box(x, y, title, letter, color)
        for (x, y, title, color), letter in zip(places, letters, strict=True)
        if letter != "N"
    ]
    arrows = [
        f'<path d="M190 70 L{x} 110" stroke="white" stroke-width="2"/>'
        for x, letter in ((90, letters[1]), (290, letters[2]))
        if letter != "N"
    ]
    return (
        f'<svg id="{name}" role="img" aria-label="{name}" viewBox="0 0 380 180" width="380" height="180" '
        f'font-family="sans-serif" text-anchor="middle"><title>{name}</title>{"".join([*arrows, *boxes])}</svg>'
    )


def _letter(text: str) -> str | None:
    """Return the letter of the zone a text came from, N where there is no backend, nothing where it does not say."""
    if text == NO_BACKEND:
        return "N"
    found = _ZONE.search(text)
    return found[1] if found else None


def _box(x: int, y: int, title: str, letter: str | None, color: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="140" height="60" rx="8" fill="{color}"/>'
        f'<text x="{x + 70}" y="{y + 26}">{title}</text><text x="{x + 70}" y="{y + 46}">AZ-{letter}</text>'
    )
