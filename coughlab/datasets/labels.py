"""Labels: which of a user's labels say COVID, which are one class, which stand for no label; and the titles of the classes."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from coughlab.text import listed

NEGATIVE, POSITIVE = "not_covid", "covid"
#: Titles of the labels; labels of other datasets are shown unchanged.
TITLES = {NEGATIVE: "not COVID", POSITIVE: "COVID"}


def _set(words: str, between: str | None = None) -> frozenset[str]:
    return frozenset(words.split(between))


_COVID = re.compile(
    r"covid(?:[-_ ]*(?:20)?19)?|sars[-_ ]*cov(?:[-_ ]*2)?(?![a-z])|(?:2019[-_ ]*)?ncov(?!id)(?:[-_ ]*(?:20)?19)?"
    r"|corona(?!r)[-_ ]*(?:virus)?(?:[-_ ]*(?:20)?19)?"  # not coronary
)
# Answers to the question whether a person has COVID, without accents, in several languages.
_YES = _set(
    "positive pos positiv positivo positiva positif true yes oui si ja present detected infected confirmed"
)
_NO = _set("negative neg negativ negativo negativa negatif false nein undetected uninfected")
_NOT = _set("not no non none without free absent")
# Words beside an answer that do not change it.
_BESIDE = _set(
    "test tested pcr result status for the people person persons patient patients case cases infection disease cough coughs"
)
# Short answers count only in such pairs: each alone may be a number or an abbreviation of anything.
_PAIRS = (("1", "-1"), ("p", "n"), ("y", "n"), ("t", "f"))
_SIGN = re.compile(r"([+-])\1*(?: ?ve)?")
# People without COVID, if every other label of a list says something of COVID.
_HEALTHY = _set("healthy|normal|control|controls|healthy control|healthy controls|healthycontrol|none", "|")

# Values for an unknown label; "-" and "none" may be labels too.
_MISSING = _set(
    "unknown|n/a|na|#n/a|nan|<na>|null|nil|?|??|.|missing|not available|not known|not given|not tested|untested|not done"
    "|pending|no result|no label|unlabeled|unlabelled|inconclusive|indeterminate|invalid|tbd",
    "|",
)
# Beside a word for people without the condition, or for an answer, "none" is no class.
_ANSWERS = (
    (_HEALTHY - {"none"})
    | _YES
    | _NO
    | {"no", "0", "1", "-1", "+", "n", "y", "p", "t", "f", "no disease", "well"}
)
# Headers that do not say what a label such as "1" means.
_GENERIC = _set("label labels class classes category target y result status outcome")


def folded(label: str) -> str:
    """A label in one spelling: capitals, blanks and kinds of dashes do not count, and 1.0 is 1."""
    label = unicodedata.normalize("NFKC", label).casefold()
    label = re.sub("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]", "-", label)
    label = " ".join(label.strip(" \t\"'").split())
    return re.sub(r"^([+-]?\d+)[.,]0+$", r"\1", label)


def missing(labels: Iterable[str]) -> tuple[set[str], str]:
    """The values of a list that stand for no label, and a sentence on those that could, and do not.

    "-" is a label beside "+" or "COVID+". "none" is a label, such as that of people without a disease, if no other one is.
    """
    spelled = {label: folded(label) for label in set(labels)}
    words = set(spelled.values()) - _MISSING - {""}
    dashes = {word for word in words if not word.strip("-")}
    others = words - dashes - {"none"}
    if not any(word.endswith("+") for word in others):
        words -= dashes
    answers = any(
        _phrase(word) in _ANSWERS or word in _ANSWERS or _own_answer(word) == NEGATIVE for word in others
    )
    if answers or not others:
        words -= {"none"}
    kept = sorted(label for label, word in spelled.items() if word in words & {*dashes, "none"})
    note = f"{' and '.join(map(_quoted, kept))} counts as a label beside the others." if kept else ""
    return {label for label, word in spelled.items() if word not in words}, note


def mentions_covid(text: str) -> bool:
    """Whether a text has the name of COVID or of its virus."""
    return bool(_COVID.search(folded(text)))


def says_covid(header: str) -> bool:
    """Whether the header of a column asks who has COVID, and not who has not."""
    text = folded(header)
    words = set(_words(_COVID.sub(" ", text)))
    choices = words >= {"yes", "no"} or words >= {"positive", "negative"} or words >= {"pos", "neg"}
    if words & {"0", "1"} and words & (_YES | _NO | _NOT):
        # The header explains its codes, perhaps in an unusual order, as "0 = positive".
        return bool(_COVID.search(text)) and bool(re.search(rf"1 ?[=:-]? ?({'|'.join(_YES)})", text))
    return mentions_covid(header) and (choices or not words & (_NOT | _NO))


def read(labels: Sequence[str], header: str = "") -> tuple[dict[str, str], str]:
    """The class of each different label, and sentences on what was assumed.

    Labels become `POSITIVE` or `NEGATIVE` only where the list says COVID: in the header of their column, or in labels. All
    others stay as they are, in their commonest spelling.
    """
    spelled = {label: folded(label) for label in labels}
    meant = _answers(set(spelled.values()), says_covid(header))
    commonest: dict[str, str] = {}
    for label, _ in Counter(labels).most_common():
        commonest.setdefault(spelled[label], _composed(label))
    classes = {label: meant.get(word, commonest[word]) for label, word in spelled.items()}
    changed = [
        f"{_quoted(label)} as {title(meant)}"
        for label, meant in sorted(classes.items())
        if _composed(label) != meant
    ]
    notes = [f"Labels: {listed(changed, 12)}."] if changed else []
    return classes, " ".join([*notes, *_unexplained(set(classes.values()), header)])


def _unexplained(classes: Collection[str], header: str) -> list[str]:
    """A sentence on labels that say nothing without a header, such as 0 and 1."""
    short = {*_YES, *_NO, "no", "+", "-", "y", "n", "p", "t", "f"}
    if not header or not all(
        (word := folded(one)) in short or re.fullmatch(r"[+-]?\d+", word) for one in classes
    ):
        return []
    words = " and ".join(map(_quoted, sorted(classes)[:4]))
    if set(_words(folded(header))) <= _GENERIC:
        return [f"The list does not say what its labels {words} mean."]
    return [f"The labels {words} mean what their header {_quoted(header)} says."]


def _answers(words: set[str], asked: bool) -> dict[str, str]:
    """What labels, in one spelling, say of COVID; `asked` if their header does."""
    said = {word: answer for word in words if (answer := _own_answer(word))}
    if not said and not asked:
        return {}
    rest = words - said.keys()
    pair = next((pair for pair in _PAIRS if rest == set(pair)), ("1", "0") if rest <= {"1", "0"} else ())
    said |= {word: answer for word, answer in zip(pair, (POSITIVE, NEGATIVE), strict=False) if word in rest}
    # Other numbers are codes.
    rest = {word for word in rest - said.keys() if not any(map(str.isdigit, word))}
    said |= {word: answer for word in rest if (answer := _signed(word) or _answer(_words(word)))}
    # Beside a third class, healthy people are a class of their own.
    left = words - said.keys()
    return said | (dict.fromkeys(left, NEGATIVE) if said and set(map(_phrase, left)) <= _HEALTHY else {})


def _own_answer(word: str) -> str:
    """What a label that speaks of COVID says of it; "" if it does not, or says something else, such as "long COVID"."""
    match = _COVID.search(word)
    if not match:
        return ""
    before, after = word[: match.start()], word[match.end() :].strip(" _")
    if not before and (answer := _signed(after.lstrip(":= "))):
        return answer
    beside = f"{before} {after}"
    # A sign or a number with a sign, and characters such as "?", may mean anything.
    if re.search(r"(?<![^\s(])[+-](?!\s*[a-z])|-\d|[^\w\s:=()\[\]/,.-]", beside):
        return ""
    words = _words(beside)
    return _answer(words) if words else POSITIVE


def _signed(word: str) -> str:
    match = _SIGN.fullmatch(word.strip("()[] "))
    return {"+": POSITIVE, "-": NEGATIVE}[match[1]] if match else ""


def _answer(words: Iterable[str]) -> str:
    """The answer that words give to the question for COVID; "" if they give none, or there are other words."""
    found = set(words)
    if not found or found - _YES - _NO - _NOT - _BESIDE - {"0", "1"}:
        return ""
    negations, yes, no = found & _NOT, found & {*_YES, "1"}, found & {*_NO, "0"}
    tests = found & {"test", "tested", "pcr", "result", "status"}
    if no:
        # "Not negative" is no answer.
        return "" if yes or negations else NEGATIVE
    if negations:
        # "Not tested" is none either.
        return "" if tests and not yes else NEGATIVE
    return POSITIVE if yes or not tests else ""


def _words(text: str) -> list[str]:
    """Words of letters and numbers, without accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return re.findall(r"[^\W_]+", plain)


def _phrase(word: str) -> str:
    return " ".join(_words(word))


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label)


def _quoted(label: str) -> str:
    return f"“{label}”"


def title(label: object) -> str:
    """The title of a label; one without letters, such as 1 or +, stands in quotes, so that it is no number of something."""
    text = str(label)
    return TITLES.get(text, text if any(map(str.isalpha, text)) else _quoted(text))
