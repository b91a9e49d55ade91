"""Keeps a page's choices in its address: every choice has a short name, the same on all pages.

Streamlit's own binding of widgets to the address writes the displayed texts, and ignores unknown values without a message.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.text import literal

#: Choices that are kept on the next page.
CARRIED = ("study", "model", "protocol", "metric")
#: Number of names that the message for an unknown name lists.
LISTED = 20

Options = Mapping[str, str] | Iterable[str]


def choose(
    widget: Callable,
    label: str,
    options: Options,
    *,
    key: str,
    default: str | None = None,
    optional: bool = False,
    **more,
) -> str | None:
    """Ask for one of some names, or None where it is optional; `options` may have their titles, and the first is the default."""
    titles = _titles(options)
    default = None if optional else default or next(iter(titles))
    more |= {"index": None} if optional else {}
    return _ask(
        lambda: widget(label, list(titles), format_func=titles.get, key=key, **more),
        key,
        lambda text: _name(text, titles),
        default,
        _listed(titles),
    )


def choose_several(
    widget: Callable, label: str, options: Options, *, key: str, default: list[str], **more
) -> list[str]:
    """Ask for any number of some names; `options` may have their titles."""
    titles = _titles(options)

    def read(text: str) -> list[str] | None:
        names = [_name(part, titles) for part in text.split(",") if part]
        return None if None in names else names

    return _ask(
        lambda: widget(label, list(titles), format_func=titles.get, key=key, **more),
        key,
        read,
        default,
        _listed(titles),
    )


def enter(
    widget: Callable, label: str, low: float, high: float, *, key: str, default: float, **more
) -> float:
    """Ask for a number of the type of the default."""
    return _ask(
        lambda: widget(label, low, high, key=key, **more),
        key,
        lambda text: _number(text, low, high, type(default)),
        default,
        f"a number from {low:,} to {high:,}",
    )


def number(key: str, low: float, high: float, default: float) -> float:
    """A number in the address that has no Streamlit widget."""
    return _read(
        key, lambda text: _number(text, low, high, float), default, f"a number from {low:,} to {high:,}"
    )


def name(key: str, options: Options) -> str | None:
    """A name in the address that has no Streamlit widget."""
    titles = _titles(options)
    return _read(key, lambda text: _name(text, titles), None, _listed(titles))


def keep(key: str, value: object) -> None:
    """Write a value to the address; None removes it."""
    if value is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(value)


class _Last(NamedTuple):
    """A widget's last state: page, value in the address, whether that was known, and the chosen value."""

    page: str
    asked: str | None
    known: bool
    value: Any


def _ask(show: Callable, key: str, read: Callable[[str], Any], default: Any, known: str) -> Any:
    """Show a widget with the value in the address, and write the chosen value to the address; defaults are left out."""
    context, seen = get_script_run_ctx(), st.session_state.setdefault("address", {})
    page, last, asked = context.page_script_hash, seen.get(key), _asked(key)
    named = None if asked is None else read(asked)
    # A value may become invalid through another choice, such as the study: then the default is used without a message.
    unknown = asked is not None and named is None and not (last and last.known and last[:2] == (page, asked))
    if asked is None and last and last.asked and last.page != page and key in CARRIED:
        # After going back, the address is complete; after a click on the navigation it has only the page.
        named = None if context.is_history_navigation else read(last.asked)
    held = st.session_state.get(key)
    # A browser may send that nothing is chosen, when a click comes before it has got the choice from here.
    valid = key in st.session_state and held == (default if held is None else read(_written(held)))
    # The address may be older than a choice that quickly follows another one, but a choice is never older than the address.
    chosen = valid and (last is None or (last.page == page and held != last.value))
    if not chosen and not (valid and last[:2] == (page, asked)):
        st.session_state[key] = default if named is None else named
    value = show()
    if unknown and not chosen:
        _warn(key, asked, known, default)
    else:
        wanted, unknown = None if value == default else _written(value), False
        if wanted != asked:
            keep(key, wanted)
        asked = wanted
    seen[key] = _Last(page, asked, not unknown, value)
    return value


def _read(key: str, read: Callable[[str], Any], default: Any, known: str) -> Any:
    asked = _asked(key)
    named = None if asked is None else read(asked)
    if asked is not None and named is None:
        _warn(key, asked, known, default)
    return default if named is None else named


def _asked(key: str) -> str | None:
    return ",".join(st.query_params.get_all(key)) if key in st.query_params else None


def _warn(key: str, asked: str, known: str, default: Any) -> None:
    used = f" Shown instead: {literal(_written(default))}." if default is not None else ""
    st.warning(
        f"This page's address asks for {key}={literal(asked)}, which is unknown here. Possible: {known}.{used}",
        icon=":material/link_off:",
    )


def _written(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _titles(options: Options) -> dict[str, str]:
    return dict(options) if isinstance(options, Mapping) else {name: name for name in options}


def _listed(titles: dict[str, str]) -> str:
    more = f" and {len(titles) - LISTED:,} more" if len(titles) > LISTED else ""
    return ", ".join(map(literal, list(titles)[:LISTED])) + more


def _name(text: str, titles: dict[str, str]) -> str | None:
    """The option with a name or a title: earlier links had titles."""
    return text if text in titles else {title: name for name, title in titles.items()}.get(text)


def _number(text: str, low: float, high: float, kind: type) -> float | None:
    try:
        value = kind(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
