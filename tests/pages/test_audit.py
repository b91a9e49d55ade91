"""The page "Is this dataset sound?", run by Streamlit without a browser."""

import io
import tempfile
import zipfile

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from coughlab.audio import archive, synthetic
from coughlab.audit import checks, run
from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.system import memory_folder
from pages.sections.audit import findings as shown
from pages.sections.audit import upload as own
from pages.shared import progress as shared_progress
from tests import sounds
from tests.conftest import ROOT

NASTY = "![x](http://example.com/x.png) :material/home: <b>.wav"


def finding(kind, severity, **more):
    about = {
        "recordings": 2,
        "groups": 1,
        "message": f"About {kind} in {NASTY}.",
        "advice": "Mend it.",
        "examples": [],
        "sizes": [],
        "more": 0,
    }
    return {"kind": kind, "severity": severity} | about | more


REPORT = {
    "dataset": predictors.STUDY,
    "read_as": f"By the list {NASTY}.",
    "recordings": 1200,
    "people": 1000,
    "labels": {"covid": 200, NASTY: 1000},
    "sources": {f"site {n}": 150 for n in range(8)},
    "sound": False,
    "findings": [
        finding("shortcut", "severe", title="Source alone", auc=0.9, interval=[0.8, 0.95]),
        finding("identical_audio", "warning", examples=[["a.wav", NASTY]], sizes=[2], more=14),
    ],
    "probes": [
        {"title": "Source alone", "recordings": 1100, "people": 990, "auc": 0.9, "interval": [0.8, 0.95]},
        {"title": "File facts alone", "recordings": 1100, "people": 990, "why": "It is the same everywhere."},
    ],
    "skipped": [{"recording": NASTY, "reason": "It is not a cough."}],
}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def dataset():
    """A ZIP of a small dataset in which one cough is listed for an ill and for a healthy person."""
    files = {}
    for n in range(6):
        for label, offset in ("ill", 0), ("well", 3 if n else 0):
            samples = synthetic.recording(onsets_s=(0.1 + 0.02 * (n + offset),), duration_s=0.6, rate=16_000)
            files[f"mine/{label}/p{n}{label}.wav"] = sounds.with_soundfile(
                "WAV", rate=16_000, samples=samples
            )
    files["mine/well/broken.wav"] = b"RIFF"
    return zipped(files)


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Other tests use the real folder at the same time; tests/system/test_memory_folder.py tests that one.
    monkeypatch.setattr(memory_folder, "place", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture
def models(monkeypatch, tmp_path):
    folder = tmp_path / "models"
    monkeypatch.setattr(store, "MODELS", folder)
    return folder


def opened(**state):
    page = AppTest.from_file(str(ROOT / "pages/audit.py"), default_timeout=60)
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    return page


def audited(data, name="mine.zip"):
    page = opened()
    page.file_uploader[0].upload(name, data)
    next(button for button in page.button if button.label == "Audit").click().run()
    assert not page.exception
    return page


def values(elements):
    return [element.value for element in elements]


def test_a_stored_audit_is_shown_with_its_verdict_first_and_names_never_as_markup(models):
    run.save(REPORT)
    run.save(REPORT | {"dataset": "esc10", "sound": True, "findings": REPORT["findings"][1:]})
    page = opened()
    assert "Not sound: 1 severe finding." in page.error[0].value
    texts = values(page.text)
    assert (
        "Recordings: 1,200. People: 1,000." in texts[0] and f"Labels: {NASTY} 1,000, COVID 200." in texts[0]
    )
    assert "and 2 more" in texts[0] and f"was read: By the list {NASTY}." in texts[0]
    assert [f["message"] for f in REPORT["findings"]] == texts[1::2]
    assert values(page.code)[0] == f"a.wav = {NASTY}\nand 14 more"
    text = "\n".join(values([*page.markdown, *page.header, *page.subheader, *page.error]))
    assert "example.com" not in text
    assert (
        "1,100 recordings of 990 people" in text and "Not tried: **File facts alone**. It is the same" in text
    )
    assert values(page.dataframe)[-1].to_dict("records") == REPORT["skipped"]
    assert len(page.get("plotly_chart")) == 1 and len(page.get("download_button")) == 3
    page.button_group[0].set_value("esc10").run()
    assert not page.exception and not page.error
    assert "no severe finding.** 1 warning below." in page.success[0].value


def test_without_stored_audits_an_own_dataset_is_asked_for(models):
    page = opened()
    assert not page.error and len(page.file_uploader) == 1
    next(button for button in page.button if button.label == "Audit").click().run()
    assert page.warning[0].value == "Choose a ZIP first."


def test_an_own_dataset_is_audited_and_nothing_of_it_stays(models, temporary, dataset):
    page = audited(dataset)
    assert "Not sound" in page.error[0].value
    kinds = {found["kind"] for found in page.session_state["own report"]["findings"]}
    assert {"undecodable", "contradictory_labels"} <= kinds
    assert page.session_state["own report"]["dataset"] == "mine"
    assert list(temporary.iterdir()) == []
    assert "well" in page.text[0].value
    # It stays visible until another audit is requested.
    page.run()
    assert "Not sound" in page.error[0].value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no zip", "not a ZIP file"),
        (zipped({"../a.wav": b""}), "outside its own folder"),
        (zipped({"list.csv": b"file,label\n" + b"a.wav,x\n" * 5_001}), "more than 5,000 recordings"),
        (zipped({"mine/a.txt": b"", "b.txt": b""}), "The ZIP has neither a list of recordings"),
    ],
)
def test_a_zip_that_cannot_be_audited_gets_a_reason_and_nothing_of_it_stays(models, temporary, data, why):
    page = audited(data)
    assert page.error[0].value == "This dataset was not audited."
    assert why in page.text[0].value and str(temporary) not in page.text[0].value
    assert list(temporary.iterdir()) == [] and not own._alone.locked()


class PageLeft(BaseException):
    """The exception that Streamlit raises in a page that is left."""


def test_leaving_ends_the_audit_and_nothing_of_it_stays(temporary, dataset):
    seen = []

    def leave(stage, done, total):
        seen.append([path.name for path in temporary.rglob("*.wav")])
        raise PageLeft

    upload = io.BytesIO(dataset)
    upload.name = "mine.zip"
    with pytest.raises(PageLeft):
        own.run(upload, leave)
    assert len(seen) == 1 and len(seen[0]) == 13
    assert list(temporary.iterdir()) == []


def test_an_audit_that_is_ended_with_its_run_is_reported_once(monkeypatch, models, dataset):
    monkeypatch.setattr(own, "run", lambda *_: st.stop())
    page = audited(dataset)
    assert not page.warning and not own._alone.locked()
    assert "ended before it was done" in page.run().warning[0].value
    assert not page.run().warning


def test_one_audit_at_a_time(models, dataset):
    with own._alone:
        page = audited(dataset)
        assert "busy with another audit" in page.warning[0].value
    assert "own report" not in page.session_state


def test_progress_shows_the_stage_and_the_remaining_time(monkeypatch):
    updates, now = [], iter([0.0, 10.0, 20.0])
    monkeypatch.setattr(shared_progress.time, "monotonic", lambda: next(now))

    class Bar:
        def progress(self, share, text):
            updates.append((share, text))

    progress = shared_progress.Progress(Bar())
    for stage, done, total in ("Listening", 0, 1000), ("Listening", 250, 1000), ("Looking", 0, 1):
        progress(stage, done, total)
    assert updates == [
        (0.0, "Listening: 0 of 1,000"),
        (0.25, "Listening: 250 of 1,000, about 30 seconds left"),
        (0.0, "Looking …"),
    ]


def test_every_severity_has_words():
    assert tuple(shown.SEVERITIES) == checks.SEVERITIES


def test_the_findings_as_a_table_have_their_intervals_in_columns():
    table = shown._table(REPORT)
    assert table.loc[0, ["kind", "auc", "interval_low", "interval_high"]].tolist() == [
        "shortcut",
        0.9,
        0.8,
        0.95,
    ]
    assert table["severity"].tolist() == ["severe", "warning"]


def test_the_server_accepts_the_largest_allowed_archive():
    text = (ROOT / ".streamlit/config.toml").read_text()
    assert f"maxUploadSize = {archive.LIMITS.max_bytes // 2**20}" in text
