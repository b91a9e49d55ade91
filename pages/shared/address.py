"""What a page shows, named in its address: every choice by a short name, the same on all pages.

Streamlit's own binding of widgets to the address writes the words that a widget shows, and passes over what it does not know.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.text import literal

#: Choices that go along to the next page.
CARRIED = ("study", "model", "protocol", "metric")
#: So many names are listed where one is unknown.
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
    """A number that the address names, where no widget of Streamlit's asks for it."""
    return _read(
        key, lambda text: _number(text, low, high, float), default, f"a number from {low:,} to {high:,}"
    )


def name(key: str, options: Options) -> str | None:
    """A name that the address names, where no widget of Streamlit's asks for it."""
    titles = _titles(options)
    return _read(key, lambda text: _name(text, titles), None, _listed(titles))


def keep(key: str, value: object) -> None:
    """Put a value into the address; None takes it out."""
    if value is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(value)


class _Last(NamedTuple):
    """How a widget was last shown: on which page, what the address said, whether that was known, and what was chosen."""

    page: str
    asked: str | None
    known: bool
    value: Any


def _ask(show: Callable, key: str, read: Callable[[str], Any], default: Any, known: str) -> Any:
    """Show a widget with what the address names, and put what is chosen into the address, which leaves defaults out."""
    context, seen = get_script_run_ctx(), st.session_state.setdefault("address", {})
    page, last, asked = context.page_script_hash, seen.get(key), _asked(key)
    named = None if asked is None else read(asked)
    # What was known may be taken away by another choice, such as that of the study: then the default is no surprise.
    unknown = asked is not None and named is None and not (last and last.known and last[:2] == (page, asked))
    if asked is None and last and last.asked and last.page != page and key in CARRIED:
        # Going back, the address is complete; a click on the navigation names the page alone.
        named = None if context.is_history_navigation else read(last.asked)
    held = st.session_state.get(key)
    valid = key in st.session_state and (held is None or read(_written(held)) == held)
    # The address may be older than a choice that follows another one at once, but never the other way round.
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
    """The option that a text names, by its title too: links used to have those."""
    return text if text in titles else {title: name for name, title in titles.items()}.get(text)


def _number(text: str, low: float, high: float, kind: type) -> float | None:
    try:
        value = kind(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
