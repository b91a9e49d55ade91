"""The report of an audit as text for a terminal, and the parts of it that the page shows in the same words."""

import textwrap

from coughlab.audit import checks
from coughlab.audit.checks.shortcut import in_short
from coughlab.audit.words import counts
from coughlab.text import counted

WIDTH = 100


def text(report: dict) -> str:
    """A report for the terminal: lines of at most 100 columns (except long file names), without control characters."""
    lines = _wrapped(f"{report['dataset']}: {_verdict(report)}")
    lines += _wrapped(f"Recordings: {report['recordings']:,}. People: {report['people']:,}.")
    lines += _wrapped(f"Labels: {counts(report['labels'])}.")
    lines += _wrapped(f"Sources: {counts(report['sources'])}.")
    lines += _wrapped(f"How the folder was read: {report['read_as']}")
    for finding in report["findings"]:
        title = f" ({finding['title']})" if "title" in finding else ""
        lines += ["", *_wrapped(f"{finding['severity'].upper()}: {finding['kind']}{title}")]
        lines += _wrapped(finding["message"], "  ") + _wrapped(f"What to do: {finding['advice']}", "  ")
        lines += [part for line in examples(finding) for part in _wrapped(line, "    ", "      ")]
    titles = {finding.get("title") for finding in report["findings"]}
    if rest := [one for one in report["probes"] if one["title"] not in titles]:
        lines += ["", "Other shortcuts:"]
        lines += [part for one in rest for part in _wrapped(in_short(one), "  ", "    ")]
    return "\n".join(lines)


def examples(finding: dict) -> list[str]:
    """The examples of a finding, one per line, and a last line with the number of further ones."""
    write = checks.found()[finding["kind"]].example
    lines = [write(names, size) for names, size in zip(finding["examples"], finding["sizes"], strict=True)]
    return lines + ([f"and {finding['more']:,} more"] if finding["more"] else [])


def _verdict(report: dict) -> str:
    severe = sum(finding["severity"] == "severe" for finding in report["findings"])
    if severe:
        return f"NOT SOUND: {counted(severe, 'severe finding')}."
    return "Sound, as far as this audit can tell: no severe finding."


def _wrapped(line: str, indent: str = "", further: str | None = None) -> list[str]:
    line = "".join(c if c.isprintable() else "?" for c in line)
    # File names are not broken.
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
