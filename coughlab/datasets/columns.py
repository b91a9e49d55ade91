"""Finds the meaning of a list's columns from their headers and their content."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coughlab.datasets import labels, listing
from coughlab.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from coughlab.datasets.matching import Files


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The likeliest first. A header of several words counts if one of these words is in it.
_FILE = "file filename file_name file_path filepath path recording file_properties audio audio_file wav clip sound uuid id"
_PERSON = (
    "person patient subject participant speaker user client volunteer individual pid src_file subj pat spk donor respondent"
    " proband mrn sujet paciente pacjent pacjenta pazient patienten patientennummer versuchsperson"
    " пациент пациента 患者 被験者 受试者"
)
_SOURCE = "source site device hospital clinic microphone mic origin dataset collection corpus recorder phone platform centre"
#: Headers of required columns, for messages.
ACCEPTED = {
    "file names": "file, filename, path, recording or audio",
    "labels": "label, class, category, diagnosis, covid, result, status or condition",
}
# With another word beside them, "file" and "person" mean something else: a person's age, a file's size.
_BESIDE_FILE = "file name path audio relative full cough url"
_BESIDE_PERSON = (
    "id no nr n number num nummer code name uid key hash identifier ident index anon pseudonym study codigo"
    " код номер"
)
# A header of these words alone names people if recordings share its values, and else each recording.
_ID = _set("id uid identifier")
_BESIDE_ID = _ID | _set("sub study record case child anon pseudonym infant kid mother owner cougher")

# Words of the header of labels, the likeliest first: the label itself, the result of a test, a disease, a state of health.
_LABEL = (
    "label labels class classes category target diagnosis diagnose diagnostic diagnostico klasse classe clase etiqueta"
    " метка класс диагноз",
    "pcr result results resultado resultat ergebnis befund результат",
    "tb tuberculosis asthma copd pneumonia flu influenza bronchitis bronchiolitis pertussis croup rsv cancer",
    "status outcome condition disease illness health finding verdict",
    "group state y",
)
# Words of headers that are no labels, whatever else they say, and beginnings of such words.
_NEVER = _set(
    "id uuid uid date dates time timestamp day days month year age sex gender height weight bmi score prob probability confidence"
    " threshold value ct duration count num number url path method kit center centre location place country region city dose"
    " doses before ever past prior previous family household onset wave travel comment comments note notes text"
    " description remarks reason fold split marital employment mother father parent sibling relative insurance quality"
)
_NEVER_BEGINS = tuple(
    _set(
        "symptom histor vaccin vax contact expos smok medicat medicin treat consent comorbid preexist underlying"
    )
)
# Labels by a program or by guess come after those of a test.
_WEAK = _set("inferred predicted prediction pred estimated self reported suspected probable severity")
_BESIDE_LABEL = _set(
    "test pcr covid covid19 19 sars cov 2 corona coronavirus ncov patient person subject participant final respiratory clinical"
    " confirmed current the is has of in rapid antigen binary true gold reference code name id type dx"
)
# Words beside that of a label that tell that its values are codes of names.
_CODED = _set("id ids code no nr number index idx num")
_PARTS = _set("train training test testing val valid validation dev eval")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*|\d{1,2}:\d{2}.*")
_DECIMAL = re.compile(r"[+-]?\d*[.,]\d+(?:[eE][+-]?\d+)?")
# Ranks of headers: values that name diseases have rank `_NAMED`; from `GUESS` on it is a guess that they are labels.
_NAMED, GUESS, _UNUSUAL, _NO_TEST = 50, 60, 100, 200
#: The rank of a column of labels that holds one value only, or none.
SINGLE = 1000
# Fewer lines do not show whether a column has few different values.
_TELLING = 10
_SAMPLE = 500
# More recordings are hardly of one person.
_MANY = 50
# More values are hardly labels if the header does not say so.
_CLASSES = 10


@dataclass(frozen=True)
class Columns:
    """The columns of a list; "" for one that it does not have."""

    file: str = ""
    label: str = ""
    person: str = ""
    source: str = ""
    #: Sentences on other columns that may be the labels.
    remarks: str = ""
    #: How likely the labels are labels, the likeliest 0; from `SINGLE` on they are not two.
    rank: int = 0
    #: Whether the headers of the files and of the labels say so in usual words only.
    certain: bool = False

    @property
    def lacking(self) -> str:
        """What the list does not have: a key of `ACCEPTED`, or ""."""
        return "" if self.file and self.label else "labels" if self.file else "file names"


def find(table: pd.DataFrame, files: Files) -> Columns:
    """The columns of a list, read as text, with the file names, the labels, and people and sources where it has them."""
    file = _file_column(table, files)
    rest = table.drop(columns=file) if file else table
    label, rank, remarks = _label_column(rest)
    rest = rest.drop(columns=label) if label else rest
    named = persons(rest, len(set(table[file])) if file else 0)
    # An id alone may be that of the class.
    named = [
        column
        for column in named
        if called([column], _PERSON) or not label or not _agree(table[label], table[column])
    ]
    # A value that differs for nearly every recording is not a source.
    most = max(2, len(rest) // 2)
    sources = [column for column in called(rest, _SOURCE) if len(set(rest[column]) - {""}) <= most]
    sources = [column for column in sources if column not in named]
    person, source = next(iter(named), ""), next(iter(sources), "")
    if file and label and not person:
        remarks = f"{remarks} {_may_name_people(rest.drop(columns=source or []), table[label])}".strip()
    usual = _header(file or "") in _FILE.split() and (_rank(label or "") or 0) < _NAMED
    return Columns(file or "", label or "", person, source, remarks, rank, usual)


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """A table with one column of classes instead of one for each, as "healthy", "asthma" and "covid" with a 1 in one of them."""
    classes = [column for column in table if set(map(labels.folded, table[column])) == {"0", "1"}]
    if len(classes) < 3 or not labels.names_states(classes):
        return table
    is_one = table[classes].apply(lambda column: column.map(labels.folded) == "1")
    if (is_one.sum(axis=1) != 1).any():
        return table
    named = table.drop(columns=classes)
    named[" / ".join(classes)] = is_one.idxmax(axis=1)
    return named


def persons(table: pd.DataFrame, recordings: int = 0) -> list[str]:
    """Columns that name people, the likeliest first; an id alone only if it has fewer values than these recordings, if given."""
    ids = [
        column
        for column in table
        if (words := _words(column)) & _ID
        and words <= _BESIDE_ID
        and (not recordings or len(set(table[column])) < recordings <= _MANY * len(set(table[column])))
    ]
    return list(dict.fromkeys([*called(table, _PERSON, _BESIDE_PERSON), *ids]))


def names_recordings(values: pd.Series) -> bool:
    """Whether most values of a column are names of audio files."""
    return _most(values, listing.is_audio)


def possible_labels(table: pd.DataFrame, columns: Columns) -> list[str]:
    """Columns that may be labels by what they hold, although their headers do not say so."""
    used = {columns.file, columns.label, columns.person, columns.source}
    return [
        column
        for column in table
        if column not in used
        and not _never(_words(column))
        and not _no_labels(table[column])
        and not _most(table[column], _DECIMAL.fullmatch)
        and len(set(table[column])) <= _CLASSES
    ]


def is_of_people(header: str) -> bool:
    """Whether a header is that of a property that many people share, or of a time, and identifies nobody."""
    return bool(_never(_words(header)) - _ID)


def _may_name_people(table: pd.DataFrame, labels_of: pd.Series) -> str:
    """A sentence on a column that may name people: several recordings share its values, and each value has one label."""
    for column in table:
        if is_of_people(column) or _rank(column) is not None:
            continue
        found = defaultdict(list)
        for value, label in zip(table[column], labels_of, strict=True):
            found[value].append(label)
        shared = [several for value, several in found.items() if len(several) > 1]
        if (
            len(shared) > 3
            and 10 * len(found) > len(table)
            and all(len(set(several)) == 1 for several in shared)
        ):
            return (
                f"Several recordings share the values of the column “{column}”, which was not read. If they are people, call it"
                " “person”."
            )
    return ""


def called(table: Iterable[str], words: str, beside: str | None = None) -> list[str]:
    """Columns whose header is one of some words, or contains one, the likeliest first."""
    headers = {column: _header(column) for column in table}
    exact = [column for word in words.split() for column in table if headers[column] == word]
    holding = [
        column
        for word in words.split()
        for column in table
        if word in (parts := _words(column)) and (beside is None or parts - {word} <= set(beside.split()))
    ]
    return list(dict.fromkeys(exact + holding))


def _header(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def _words(header: str) -> set[str]:
    """The words of a header without accents; "testResult" has two."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", header) if not unicodedata.combining(c))
    plain = re.sub(labels.COVID.pattern, " covid ", plain, flags=re.IGNORECASE)
    if not plain.isupper():
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return set(re.findall(r"[^\W_]+", plain.lower()))


def _file_column(table: pd.DataFrame, files: Files) -> str | None:
    by_header = called(table, _FILE, _BESIDE_FILE)
    by_content = [column for column in table if _most(table[column], listing.is_audio)]
    likely = list(dict.fromkeys([*by_header, *by_content]))
    # A label may equal a file's name: "1" and 1.wav.
    others = [column for column in table if column not in likely and _rank(column) is None]
    for columns in (likely, others):
        for count in (files.exact, lambda values: files.similar(_sample(values))):
            found = {column: count(table[column]) for column in columns}
            if any(found.values()):
                return max(found, key=found.__getitem__)
    # All files are missing.
    return next(iter(likely), None)


def _label_column(table: pd.DataFrame) -> tuple[str | None, int, str]:
    """The column of labels, its rank, and sentences on others."""
    ranks = {
        column: rank for column in table if (rank := _rank_by_content(column, table[column])) is not None
    }
    problems = {column: _no_labels(table[column]) for column in ranks}
    # A list with one class, or with empty labels, is still read by its header: the audit says so.
    single = [column for column in ranks if problems[column] == _SINGLE]
    fitting = sorted((column for column in ranks if not problems[column]), key=ranks.__getitem__)
    taken = next(iter(fitting), min(single, key=ranks.__getitem__, default=None))
    if not taken:
        return (
            None,
            SINGLE,
            " ".join(
                f"The column “{column}” is not taken for labels: {why}." for column, why in problems.items()
            ),
        )
    if fitting and _are_codes(table[taken]):
        # The names of the same classes say what the codes mean.
        same = (
            column
            for column in fitting
            if _agree(table[taken], table[column]) and not _are_codes(table[column])
        )
        taken = next(same, taken)
    rank = ranks[taken]
    remarks = [
        f"The column “{column}” is not taken for labels: {problems[column]}."
        for column in ranks
        if problems[column] and ranks[column] < rank
    ]
    for column in fitting:
        if column != taken and (lines := _disagreeing(table[taken], table[column])):
            remarks.append(
                f"The column “{column}” may be labels too, and says something else in {counted(lines, 'line')}: “{taken}” was"
                " taken."
            )
    if rank >= GUESS:
        remarks.insert(
            0, f"That “{taken}” has the labels is a guess: if another column has them, call that “label”."
        )
    return taken, rank if fitting else SINGLE + rank, " ".join(remarks[:3])


def _rank_by_content(header: str, values: pd.Series) -> int | None:
    """As `_rank`; values that name diseases make a column with an unusual header likelier."""
    rank = _rank(header)
    if rank is not None and rank < _NAMED:
        return rank
    words = _words(header)
    if _never(words) or words & _WEAK or not labels.names_states(_given(values)):
        return rank
    return _NAMED


def _rank(header: str) -> int | None:
    """How likely a header is that of the labels, the likeliest 0; None if it is not."""
    header = labels.question(header) or header
    words = _words(header)
    covid = labels.mentions_covid(header)
    strong, result, disease, state, vague = (
        [word for word in group.split() if word in words] for group in _LABEL
    )
    never = _never(words)
    if strong:
        never -= {"id", "value", "number"}
    if never or ("type" in words and not (strong or "disease" in words)):
        return None
    if strong:
        rank = _LABEL[0].split().index(strong[0])
    elif result:
        rank = 20 if covid or disease or "test" in words or "pcr" in words else 25
    elif covid or disease:
        rank = 30 if state else 35
    elif state:
        rank = 40 + _LABEL[3].split().index(state[0])
    elif vague:
        rank = GUESS + _LABEL[4].split().index(vague[0])
    else:
        return None
    known = _BESIDE_LABEL | _CODED | _WEAK | {word for group in _LABEL for word in group.split()}
    unusual = not labels.says_covid(header) and (bool(words - known) or (covid and not strong))
    return rank + _NO_TEST * bool(words & _WEAK) + _UNUSUAL * unusual


def _never(words: set[str]) -> set[str]:
    return {word for word in words if word in _NEVER or word.startswith(_NEVER_BEGINS)}


_SINGLE = "it has fewer than two different values"


def _no_labels(column: pd.Series) -> str:
    """Why the values of a column cannot be labels; "" if they can."""
    values = _given(column)
    different = len(set(values))
    if different < 2:
        return _SINGLE
    if set(values) <= _PARTS:
        return "it names the parts of a split"
    if _most(values, _DATE.fullmatch):
        return "it has dates or times"
    if len(values) >= _TELLING and different > len(values) / 2:
        return f"it has {different:,} different values in {len(values):,} lines"
    return ""


def _given(column: pd.Series) -> list[str]:
    """The labels of a column, in one spelling, without values that stand for none."""
    none, _ = labels.missing(column)
    return [labels.folded(value) for value in column if value not in none]


def _are_codes(column: pd.Series) -> bool:
    return all(re.fullmatch(r"[+-]?\d+", value) for value in set(_given(column)))


def _agree(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns have the same classes under other names."""
    pairs = set(zip(map(labels.folded, one), map(labels.folded, other), strict=True))
    return len(pairs) == len(set(map(labels.folded, one))) == len(set(map(labels.folded, other)))


def _disagreeing(one: pd.Series, other: pd.Series) -> int:
    """In how many lines two columns do not have values that go together, where both have some."""
    missing = labels.missing(one)[0], labels.missing(other)[0]
    both = [(a, b) for a, b in zip(one, other, strict=True) if a not in missing[0] and b not in missing[1]]
    pairs = Counter(both)
    # Of each value the commonest partner; a column may divide the other's classes further.
    kept = [
        sum({pair[side]: count for pair, count in reversed(pairs.most_common())}.values()) for side in (0, 1)
    ]
    return len(both) - max(kept)


def _most(values: Iterable[str], is_it: Callable[[str], object]) -> bool:
    given = [value for value in values if value]
    return 2 * sum(bool(is_it(value)) for value in given) > len(given)


def _sample(values: pd.Series) -> list[str]:
    different = list(dict.fromkeys(values))
    return different[:: max(1, len(different) // _SAMPLE)]
