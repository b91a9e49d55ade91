"""Shows the report of an audit. File names, labels and sources are untrusted: they are never shown as markup."""

import json
import re
from collections import Counter

import pandas as pd
import streamlit as st

from coughlab.audit import checks
from coughlab.audit import report as audit_text
from coughlab.audit.words import counts
from coughlab.text import counted, to_csv
from pages.shared.chart import show_chart
from pages.shared.table import show_table

#: Word, icon and colour of each severity, the worst first.
SEVERITIES = {
    "severe": ("Severe", ":material/error:", "red"),
    "warning": ("Warning", ":material/warning:", "orange"),
    "note": ("Note", ":material/info:", "blue"),
}
#: Number of labels and sources that are named in the sentence at the top; a table has all of them.
LISTED = 6


def show(report):
    """Show the verdict, the dataset, its shortcuts, the findings, the rows that were left out, and the downloads."""
    show_verdict(report)
    show_size(report)
    show_shortcuts(report)
    st.subheader("Findings, the worst first")
    for finding in report["findings"]:
        show_finding(finding)
    if report["skipped"]:
        st.subheader("What was left out, and why")
        show_table(
            pd.DataFrame(report["skipped"]),
            f"{_file_name(report)}-left-out",
            key="left out",
            column_config={"recording": "Recording", "reason": "Why"},
        )
    show_downloads(report)


def show_verdict(report):
    found = Counter(finding["severity"] for finding in report["findings"])
    st.header(report["dataset"] if re.fullmatch(r"[A-Za-z0-9-]+", report["dataset"]) else "Your dataset")
    if not report["sound"]:
        st.error(
            f"**Not sound: {counted(found['severe'], 'severe finding')}.** What a model scores on this dataset, as it is,"
            " says little about a disease. See below what was found, and what to do about it.",
            icon=":material/error:",
        )
    else:
        left = f" {counted(found['warning'], 'warning')} below." if found["warning"] else ""
        st.success(
            f"**Sound, as far as this audit can tell: no severe finding.**{left} It finds only what it looks for, and"
            " says nothing of whether the labels are true.",
            icon=":material/check_circle:",
        )


def show_size(report):
    st.text(
        f"Recordings: {report['recordings']:,}. People: {report['people']:,}."
        f" Labels: {counts(report['labels'], LISTED)}. Sources: {counts(report['sources'], LISTED)}."
        f"\nHow the folder was read: {report['read_as']}"
    )
    if max(len(report["labels"]), len(report["sources"])) > LISTED:
        with st.expander("Recordings of each label and source"):
            for at, what in zip(st.columns(2), ("labels", "sources"), strict=True):
                rows = pd.Series(report[what], name="Recordings").rename_axis(what.capitalize())
                # Not st.table, which reads Markdown.
                at.dataframe(rows.reset_index(), hide_index=True)


def show_shortcuts(report):
    from coughlab.audit.checks.shortcut import SEVERE_AUC, WARNING_AUC
    from coughlab.charts import audit as charts

    st.subheader("Can the labels be guessed from how the recordings were made?")
    if tried := [probe for probe in report["probes"] if "auc" in probe]:
        st.markdown(
            "Each line is a small model that knows only something that has nothing to do with a disease. If it can tell the"
            " classes apart, so can any other that is trained on these recordings, and its score need not be about a disease."
        )
        listed = ", ".join(f"{probe['title']} {probe['auc']:.2f}" for probe in tried)
        show_chart(
            charts.shortcuts(tried, severe=SEVERE_AUC, warning=WARNING_AUC),
            f"{_file_name(report)}-shortcuts",
            key="shortcuts",
            alt=f"How well the label follows from how the recordings were made, from 0.5 (guessing) to 1 (perfectly): {listed}",
        )
        st.markdown(
            f":small[Cross-validated on {tried[0]['recordings']:,} recordings of {tried[0]['people']:,} people: each sound once,"
            " nobody on both sides. AUC: the chance that of two recordings with different labels the model ranks the right one"
            " higher.]"
        )
    for why in dict.fromkeys(probe["why"] for probe in report["probes"] if "why" in probe):
        titles = ", ".join(probe["title"] for probe in report["probes"] if probe.get("why") == why)
        st.markdown(f"Not tried: **{titles}**. {why}")


def show_finding(finding):
    word, icon, colour = SEVERITIES[finding["severity"]]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(word, icon=icon, color=colour)
            title = checks.found()[finding["kind"]].title
            st.markdown(f"**{title}{': ' + finding['title'] if 'title' in finding else ''}**")
        st.text(finding["message"])
        st.text(f"What to do: {finding['advice']}")
        if finding["examples"]:
            with st.expander("Examples"):
                # One group per line: recordings of one person, or of the same sound.
                st.code("\n".join(audit_text.examples(finding)), language=None, wrap_lines=True)


def show_downloads(report):
    with st.container(horizontal=True):
        for what, data, ending, kind in (
            ("report as JSON", json.dumps(report, indent=1, ensure_ascii=False), "json", "application/json"),
            ("findings as CSV", to_csv(_table(report)), "csv", "text/csv"),
        ):
            st.download_button(
                f"Download the {what}",
                data,
                f"{_file_name(report)}.{ending}",
                kind,
                icon=":material/download:",
                on_click="ignore",
            )


def _table(report):
    """The findings as a table, one row each."""
    columns = [
        "severity",
        "kind",
        "title",
        "recordings",
        "groups",
        "auc",
        "interval_low",
        "interval_high",
        "message",
        "advice",
    ]
    rows = [
        finding | dict(zip(("interval_low", "interval_high"), finding.get("interval", ()), strict=False))
        for finding in report["findings"]
    ]
    return pd.DataFrame(rows, columns=columns)


def _file_name(report):
    return f"audit-{re.sub(r'[^A-Za-z0-9-]+', '-', report['dataset'])}"
