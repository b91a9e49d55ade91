"""Labels: which of a user's labels say COVID, which are one class, which stand for no label; and the titles of the classes."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from coughlab.text import listed

NEGATIVE, POSITIVE = "not_covid", "covid"
#: Titles of the labels; labels of other datasets are shown unchanged.
TITLES = {NEGATIVE: "not COVID", POSITIVE: "COVID"}


def _set(words: str, between: str | None = None) -> frozenset[str]:
    return frozenset(words.split(between))


#: The names of COVID and of its virus, in lower-case text.
COVID = re.compile(
    r"cov(?:id)?[-_ ]*19|covid(?:[-_ ]*2019)?|sars[-_ ]*cov(?:[-_ ]*2)?(?![a-z])|(?:2019[-_ ]*)?ncov(?!id)(?:[-_ ]*(?:20)?19)?"
    r"|corona(?!r)[-_ ]*(?:virus)?(?:[-_ ]*(?:20)?19)?"  # not coronary
)


def words_of(text: str) -> list[str]:
    """Words of letters and numbers, without accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return re.findall(r"[^\W_]+", plain)


# A number, or a sign that is no dash between words.
_UNCLEAR = re.compile(r"[+-](?!\s*[^\W\d])|\d")


def _plain(words: str) -> frozenset[str]:
    return frozenset(words_of(words))


# Answers to the question whether a person has COVID, in several languages.
_YES = _plain(
    "positive pos positiv positivo positiva positif true yes oui si ja present detected detectable infected confirmed reactive"
    " sim да ano tak evet wahr vrai verdadero dodatni положительный положительно 陽性 阳性 是 はい 양성"
)
_NO = _plain(
    "negative neg negativ negativo negativa negatif false nein undetected undetectable uninfected nonreactive falsch faux falso"
    " ujemny отрицательный отрицательно 陰性 阴性 否 いいえ 음성"
)
_NOT = _plain("not no non none without free absent nao нет nej nee ne nie hayir hayır")
# Words beside an answer that do not change it.
_BESIDE = _set(
    "test tested pcr result status for the people person persons patient patients case cases infection disease cough coughs"
)
_DEGREES = _set("mild moderate severe critical asymp asymptomatic symptomatic")
# Words of a header that asks who has COVID. With any other word it may ask something else, such as who recovered.
_ASKING = _plain(
    "test tests pcr rt rtpcr antigen antigeno rapid swab lab laboratory prueba teste result results resultado resultat ergebnis"
    " befund status state outcome condition label labels class classe classes category target klasse clase etiqueta diagnosis"
    " diagnose diagnostic diagnostico diag dx disease illness infection is has the person people patient participant"
    " subject case current final confirmed true binary gold reference self reported метка класс диагноз результат тест"
)
# Short answers count only in such pairs: each alone may be a number or an abbreviation of anything.
_PAIRS = (("1", "-1"), ("+1", "-1"), ("p", "n"), ("y", "n"), ("t", "f"))
_SIGN = re.compile(r"([+-])\1*(?: ?ve)?")
# People without COVID, if every other label of a list says something of COVID.
_HEALTHY = _set("healthy|normal|control|controls|healthy control|healthy controls|healthycontrol|none", "|")
_DISEASES = _set(
    "asthma asthmatic copd tb tuberculosis pneumonia flu influenza bronchitis bronchiolitis bronchiectasis pertussis croup rsv"
    " cancer urti lrti cold ill sick"
)

# Values for an unknown label; "-" and "none" may be labels too.
_MISSING = _set(
    "n/a #n/a <na> ? ?? . na nan null nil nd tbd missing unknown void untested unavailable undefined undetermined unspecified"
    " unlabeled unlabelled unclear pending awaiting inconclusive indeterminate invalid"
    " unbekannt inconnu desconocido desconhecido sconosciuto неизвестно 不明 未知"
)
_MISSING_BESIDE = _set("result results test pcr label status diagnosis value answer data or yet")
_MISSING_PHRASE = re.compile(
    r"not? (?:yet )?(?:available|known|given|done|tested|stated|specified|recorded|reported|determined|sure|answered"
    r"|applicable|result|results|label|answer|data|information|response)|(?:do not|don ?t) know"
    r"|(?:i )?(?:prefer|rather) not (?:to )?(?:say|answer)|n [ad]|waiting(?: for (?:the )?results?)?|declined(?: to answer)?"
)
# Beside a word for people without the condition, or for an answer, "none" is no class.
_ANSWERS = (
    (_HEALTHY - {"none"})
    | _YES
    | _NO
    | {"no", "0", "1", "-1", "+", "n", "y", "p", "t", "f", "no disease", "well"}
)
# Words of headers that do not say what a label such as "1" means.
_GENERIC = _set(
    "label labels class classes category target y result status outcome id ids code codes no nr number index idx name type the of"
)
_NUMBER = r"(?<!\w)[+-]?\d+(?!\w)"
_MEANING = r"[^\W\d_][^\d=:,;|/()\[\]{}<>]*?"
# "0 = healthy, 1 = ill", "healthy=0; ill=1", "0 healthy 1 ill", "healthy 0 ill 1": the number and its meaning.
_END = r"(?=\s*(?:[,;|/()\[\]{}]|\s(?:and|or|und|et|y)\s|[+-]?\d|$))"
_CODES = [
    (rf"({_NUMBER})\s*[=:>-]+\s*({_MEANING}){_END}", 1),
    (rf"({_MEANING})\s*[=:>-]+\s*({_NUMBER})", 2),
    (rf"({_NUMBER})\s+({_MEANING}){_END}", 1),
    (rf"({_MEANING})\s+({_NUMBER})", 2),
]


@lru_cache(2**16)
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
    words = {word for word in spelled.values() if word and not is_placeholder(word)}
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
    count = "counts as a label" if len(kept) == 1 else "count as labels"
    note = f"{' and '.join(map(_quoted, kept))} {count} beside the others." if kept else ""
    return {label for label, word in spelled.items() if word not in words}, note


def is_placeholder(word: str) -> bool:
    """Whether a text, `folded`, says that something is not known."""
    words = set(words_of(word))
    return (
        word in _MISSING
        or bool(_MISSING_PHRASE.fullmatch(_phrase(word)))
        or bool(words & _MISSING and words <= _MISSING | _MISSING_BESIDE)
    )


def mentions_covid(text: str) -> bool:
    """Whether a text has the name of COVID or of its virus."""
    return bool(COVID.search(folded(text)))


def says_covid(header: str) -> bool:
    """Whether the header of a column asks who has COVID, in words that are all known, and not who has not."""
    words = set(words_of(COVID.sub(" ", folded(header))))
    answers, codes = words & (_YES | _NO | _NOT), words & {"0", "1"}
    if not mentions_covid(header) or words - answers - codes - _ASKING:
        return False
    if codes:
        # A header that explains its codes, perhaps in an unusual order, is read by `codes`.
        return codes == {"0", "1"} and not answers
    choices = words >= {"yes", "no"} or words >= {"positive", "negative"} or words >= {"pos", "neg"}
    return choices or not words & (_NOT | _NO)


def names_states(labels: Iterable[str]) -> bool:
    """Whether labels say by themselves who is ill: they name COVID, other diseases, or health."""
    words = set(map(folded, labels))
    diseases = {word for word in words if _own_answer(word) or set(words_of(word)) & _DISEASES}
    return bool(diseases) and all(_phrase(word) in _HEALTHY | _NOT for word in words - diseases)


def codes(text: str) -> dict[str, str]:
    """The meanings of numbers that a text explains, such as "0 = healthy, 1 = ill"; none if one of its numbers has no meaning."""
    text = COVID.sub("covid", folded(text)).replace("_", " ")
    numbers = sorted(re.findall(_NUMBER, text))
    for pattern, number in _CODES:
        found = {
            match[number]: match[3 - number].strip().removeprefix("for ")
            for match in re.finditer(pattern, text)
        }
        if len(found) > 1 and sorted(found) == numbers:
            return found
    return {}


def question(header: str) -> str:
    """A header without the explanation of its codes."""
    return re.split(r"[(\[{:]|\s[+-]?\d", header)[0] if codes(header) else header


def read(labels: Sequence[str], header: str = "", comments: Iterable[str] = ()) -> tuple[dict[str, str], str]:
    """The class of each different label, and sentences on what was assumed.

    Labels become `POSITIVE` or `NEGATIVE` only where the list says COVID: in the header of their column, or in labels. All
    others stay as they are, in their commonest spelling. Numbers get the names that the header or a comment gives them.
    """
    spelled = {label: folded(label) for label in labels}
    named = _explained(set(spelled.values()), header, comments)
    words_only = not any(re.search(r"\d", word) for word in spelled.values())
    asked = says_covid(question(header) if named or words_only else header)
    meant, left = _answers({word: named.get(word, word) for word in spelled.values()}, asked)
    commonest: dict[str, str] = {}
    for label, _ in Counter(labels).most_common():
        commonest.setdefault(spelled[label], named.get(spelled[label], _composed(label)))
    classes = {label: meant.get(word, commonest[word]) for label, word in spelled.items()}
    changed = [
        f"{_quoted(label)} as {title(meant)}"
        for label, meant in sorted(classes.items())
        if _composed(label) != meant
    ]
    notes = [f"Labels: {listed(changed, 12)}."] if changed else []
    unexplained = _unexplained(set(classes.values()), header)
    if left and not unexplained:
        notes.append(
            f"The labels are not read as answers to the question for COVID, because {_quoted(commonest[left])} is none."
        )
    return classes, " ".join([*notes, *unexplained])


def _explained(words: Collection[str], header: str, comments: Iterable[str]) -> dict[str, str]:
    """The names of all of a column's labels, if they are numbers and its header or a comment on it explains them."""
    column, about = set(words_of(folded(header))), []
    for comment in map(folded, comments):
        before = re.split(r"[=\d]", comment)[0]
        if not before or column <= set(words_of(before)):
            about.append(comment)
    return next(
        (
            found
            for text in (header, *about, ", ".join(about))
            if words and set(words) <= (found := codes(text)).keys()
        ),
        {},
    )


def _unexplained(classes: Collection[str], header: str) -> list[str]:
    """A sentence on labels that say nothing without a header, such as 0 and 1."""
    short = {*_YES, *_NO, "no", "+", "-", "y", "n", "p", "t", "f"}
    if not header or not all(
        (word := folded(one)) in short or re.fullmatch(r"[+-]?\d+", word) for one in classes
    ):
        return []
    words = " and ".join(map(_quoted, sorted(classes)[:4]))
    if not mentions_covid(header) and set(words_of(folded(header))) <= _GENERIC:
        return [f"The list does not say what its labels {words} mean."]
    return [f"The labels {words} mean what their header {_quoted(header)} says."]


def _answers(words: Mapping[str, str], asked: bool) -> tuple[dict[str, str], str]:
    """What labels, of which the words are given, say of COVID; `asked` if their header does.

    Also a label for which none are translated, "" if all are: an opposite of one that is must not stay as it is.
    """
    plain = _without_count(words)
    said = {label: answer for label, word in plain.items() if (answer := _own_answer(word))}
    own = set(said)
    if not said and not asked:
        return {}, ""
    rest = {word: label for label, word in plain.items() if label not in said}
    pair = next(
        (pair for pair in _PAIRS if rest.keys() == set(pair)), ("1", "0") if rest.keys() <= {"1", "0"} else ()
    )
    said |= {
        rest[word]: answer for word, answer in zip(pair, (POSITIVE, NEGATIVE), strict=False) if word in rest
    }
    said |= {
        label: answer
        for word, label in rest.items()
        if label not in said and (answer := _signed(word) or _plain_answer(word))
    }
    left = {label: word for label, word in plain.items() if label not in said}
    if said and {_phrase(word) for word in left.values()} <= _HEALTHY:
        return said | dict.fromkeys(left, NEGATIVE), ""
    unclear = next((label for label, word in left.items() if _may_answer(word, bool(own))), "")
    if unclear:
        return {}, unclear
    # A third class may stand beside both answers, and any beside labels that say COVID by themselves.
    if set(said.values()) == {POSITIVE, NEGATIVE} or own:
        return said, ""
    return {}, next(iter(left)) if said else ""


def _without_count(words: Mapping[str, str]) -> dict[str, str]:
    """Labels without numbers that only count them, as in "0_healthy" and "1_covid"."""
    parts = {label: re.fullmatch(r"(\d+)[\s_.:)-]+(\D.*)", word) for label, word in words.items()}
    if all(parts.values()):
        plain = {label: part[2] for label, part in parts.items() if part}
        if len(set(plain.values())) == len(plain):
            return plain
    return dict(words)


def _plain_answer(word: str) -> str:
    """The answer of a label that does not name COVID, without a remark in brackets, as in "positive (mild)"."""
    match = re.fullmatch(r"(\w[^()]*)\(([^()]*)\)", word)
    if match and match[2] not in ("0", "1") and not set(words_of(match[2])) & (_YES | _NO | _NOT):
        word = match[1]
    # Other numbers are codes.
    return "" if any(map(str.isdigit, word)) else _answer(words_of(word))


def _may_answer(word: str, own: bool) -> bool:
    """Whether a label that is no clear answer has a sign, a number or a word of one; beside `own`, only if it names COVID."""
    rest = COVID.sub(" ", word)
    if own and rest == word:
        return False
    return bool(_UNCLEAR.search(rest) or set(words_of(rest)) & (_YES | _NO | {"no", "not", "non"}))


def _own_answer(word: str) -> str:
    """What a label that speaks of COVID says of it; "" if it does not, or says something else, such as "long COVID"."""
    match = COVID.search(word)
    if not match:
        return ""
    before, after = word[: match.start()], word[match.end() :].strip(" _")
    if not before and (answer := _signed(after.lstrip(":= "))):
        return answer
    beside = re.sub(r"\(([+-])\1*\)", lambda sign: {"+": " pos ", "-": " neg "}[sign[1]], f"{before} {after}")
    # A sign or a number with a sign, and characters such as "?", may mean anything.
    if re.search(r"(?<![^\s(])[+-](?!\s*[a-z])|-\d|[^\w\s:=()\[\]/,.-]", beside):
        return ""
    words = words_of(beside)
    return _answer(words) if words else POSITIVE


def _signed(word: str) -> str:
    match = _SIGN.fullmatch(word.strip("()[] "))
    return {"+": POSITIVE, "-": NEGATIVE}[match[1]] if match else ""


def _answer(words: Iterable[str]) -> str:
    """The answer that words give to the question for COVID; "" if they give none, or there are other words."""
    words = list(words)
    found = set(words)
    if any(word in _NOT and found & _YES & set(words[:place]) for place, word in enumerate(words[:-1])):
        # "Positive, not confirmed"; but "Positive: no".
        return ""
    if found & _YES:
        found -= _DEGREES
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


def _phrase(word: str) -> str:
    return " ".join(words_of(word))


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label)


def _quoted(label: str) -> str:
    return f"“{label}”"


def title(label: object) -> str:
    """The title of a label; one without letters, such as 1 or +, stands in quotes, so that it is no number of something."""
    text = str(label)
    return TITLES.get(text, text if any(map(str.isalpha, text)) else _quoted(text))
