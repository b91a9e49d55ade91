"""The navigation: it contains every page in its group, from the data in the page's own file."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import navigation

PAGE = """import streamlit as st

PAGE = {"title": "Whistle", "icon": ":material/music_note:", "group": "Listen", "order": 14}

st.title("This ran")
"""


def script(folder):
    """An app with the pages of a folder."""
    from pathlib import Path

    import streamlit as st

    from pages.shared import navigation

    groups = navigation.pages(Path(folder))
    page = st.navigation(groups)
    for group, pages in groups.items():
        for one in pages:
            st.text(f"{group}: {one.title} {one.icon} /{one.url_path}")
    page.run()


def listed(folder):
    app = AppTest.from_function(script, default_timeout=60, args=(str(folder),)).run()
    assert not app.exception
    return app


def texts(app):
    return [element.value for element in app.text]


@pytest.fixture
def folder(tmp_path):
    """A folder with the parts of the app's pages that the navigation reads."""
    for path in navigation.FOLDER.glob("*.py"):
        facts = navigation.facts(path, path.stat().st_mtime_ns)
        (tmp_path / path.name).write_text(
            f"import streamlit as st\n\nPAGE = {facts}\n\nst.title(PAGE['title'])\n"
        )
    return tmp_path


def test_every_page_is_in_its_group():
    found = {}
    for line in texts(listed(navigation.FOLDER)):
        group, title = re.match(r"(\w+): (.*) :material", line).groups()
        found.setdefault(group, []).append(title)
    # Further pages may stand among them.
    expected = {
        "Listen": ["Analyse a cough", "Live", "Batch"],
        "Believe": ["Reality check", "For clinicians", "Is this dataset sound?"],
        "Compare": ["Compare models", "Matrices", "Many splits", "Search", "Explore the data"],
        "About": ["About", "Privacy"],
    }
    assert list(found) == list(expected)
    for group, titles in expected.items():
        assert [title for title in found[group] if title in titles] == titles


def test_a_page_is_added_by_its_file_alone(folder):
    before = texts(listed(folder))
    assert before[0] == "Listen: Analyse a cough :material/graphic_eq: /"
    assert "About: Privacy :material/shield_person: /privacy" in before
    (folder / "whistle.py").write_text(PAGE)
    after = texts(listed(folder))
    assert after[:3] == before[:3] and after[4:] == before[3:]
    assert after[3] == "Listen: Whistle :material/music_note: /whistle"


def test_a_page_is_not_run_to_be_listed(folder):
    (folder / "whistle.py").write_text(PAGE)
    app = listed(folder)
    assert [title.value for title in app.title] == ["Analyse a cough"]


def test_a_page_that_changed_is_read_again(folder):
    (folder / "whistle.py").write_text(PAGE)
    assert "Listen: Whistle :material/music_note: /whistle" in texts(listed(folder))
    (folder / "whistle.py").write_text(PAGE.replace('"Listen", "order": 14', '"Play", "order": 99'))
    assert texts(listed(folder))[-1] == "Play: Whistle :material/music_note: /whistle"


def test_a_file_without_a_title_is_named(tmp_path):
    (tmp_path / "odd.py").write_text("import streamlit as st\n")
    with pytest.raises(ValueError, match=r"odd\.py does not say its title"):
        navigation.pages(tmp_path)
