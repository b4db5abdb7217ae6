"""The layer profile: the effect of patching each layer, as terminal bars and as a picture."""

from __future__ import annotations

from xml.etree import ElementTree

from pytest_coderobust.editors.localisation import LayerEffect, Trace

_BAR = 40
_ROW = 22
_LEFT, _RIGHT, _TOP = 70, 210, 58
_LENGTH = 360
_STYLE = "font-family: system-ui, sans-serif; font-size: 13px"


def render_bars(trace: Trace, label: str) -> list[str]:
    """Renders one line a layer, at most 80 columns wide."""
    lines = [
        f"key layer of {label}",
        f"pass rate: clean {trace.clean:.2f}, perturbed {trace.perturbed:.2f}",
        "",
        f"layer  restoration improvement{'':<{_BAR - 19}} rate  distance",
    ]
    for place, effect in enumerate(trace.layers):
        bar = "#" * round(effect.improvement * _BAR)
        # A patch may do better than the clean prompt; the bar ends at its scale.
        mark = "  <- key" if place == trace.key else ""
        lines.append(
            f"{place:>5}  {effect.improvement:>5.2f} {bar[:_BAR]:<{_BAR}} {effect.rate:>5.2f}"
            f" {effect.distance:>8.4g}{mark}"
        )
    return [*lines, "", explain_key_layer(trace)]


def explain_key_layer(trace: Trace) -> str:
    """Explains the choice of the key layer, in a sentence."""
    if trace.key is None:
        return "No layer restores anything, so there is no key layer."
    best = max(effect.improvement for effect in trace.layers)
    tied = [each for each in trace.layers if each.improvement == best]
    if len(tied) > 1:
        return f"{len(tied)} layers restore equally much; layer {trace.key} is the farthest apart."
    return f"Layer {trace.key} restores most."


def draw_picture(trace: Trace, label: str) -> str:
    """Draws the profile as an SVG document, which needs no library and no network to be seen."""
    height = _TOP + _ROW * len(trace.layers) + 30
    width = _LEFT + _LENGTH + _RIGHT
    size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
    root = ElementTree.Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "style": _STYLE, **size}
    )
    ElementTree.SubElement(root, "title").text = _replace_unprintable(
        f"Restoration improvement: {label}"
    )
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    _draw_text(root, 12, 22, label)
    rates = f"pass rate: clean {trace.clean:.2f}, perturbed {trace.perturbed:.2f}"
    _draw_text(root, 12, 42, rates)
    for place, effect in enumerate(trace.layers):
        _draw_bar(root, place, effect, key=place == trace.key)
    _draw_text(root, 12, height - 10, explain_key_layer(trace))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _draw_bar(root: ElementTree.Element, place: int, effect: LayerEffect, *, key: bool) -> None:
    top = _TOP + place * _ROW
    _draw_text(root, 12, top + 14, f"layer {place}")
    length = min(1.0, effect.improvement) * _LENGTH
    box = {"x": str(_LEFT), "y": str(top + 2), "height": str(_ROW - 6)}
    ElementTree.SubElement(root, "rect", {**box, "width": str(_LENGTH), "fill": "#eeeeee"})
    colour = "#b3261e" if key else "#4a6fa5"
    ElementTree.SubElement(root, "rect", {**box, "width": f"{length:.1f}", "fill": colour})
    text = f"{effect.improvement:.2f}  rate {effect.rate:.2f}  distance {effect.distance:.4g}"
    _draw_text(root, _LEFT + _LENGTH + 8, top + 14, text)


def _draw_text(root: ElementTree.Element, left: int, top: int, text: str) -> None:
    element = ElementTree.SubElement(root, "text", {"x": str(left), "y": str(top)})
    element.text = _replace_unprintable(text)


def _replace_unprintable(text: str) -> str:
    """Replaces the characters that do not print: XML cannot hold control characters."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
