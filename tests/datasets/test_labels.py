"""What labels mean: COVID only where the list says so, one class in several spellings, and values that are no labels."""

import pytest

from coughlab.datasets import labels

YES, NO = labels.POSITIVE, labels.NEGATIVE


@pytest.mark.parametrize(
    ("meant", "said"),
    [
        (
            YES,
            "covid|COVID-19|Covid+|COVID +ve|covid (+)|COVID=+|covid_19|SARS-CoV-2 positive|coronavirus|2019-nCoV|covid: yes",
        ),
        (YES, "covid patients|confirmed COVID|covid_1|positive for covid|COVID19 detected"),
        (
            NO,
            "COVID-|COVID –|COVID−|COVID-19-|covid (-)|COVID -ve|COVID-ve|COVID_neg|not covid|no covid|non-covid",
        ),
        (
            NO,
            "noncovid|nocovid19|COVID-19 negative|Covid: no|covid-free|covid not detected|no covid detected",
        ),
        # Neither the one nor the other: they stay as they are.
        (
            "",
            "-covid|covid +/-|covid?|long covid|post-covid|covid mild|suspected covid|covid not tested|covid test",
        ),
        ("", "covid-1|covid 2|coronary disease|not negative covid|no covid symptoms|covid control"),
    ],
    ids=["plain", "words", "signs", "negations", "unclear", "other"],
)
def test_a_label_that_speaks_of_covid(meant, said):
    for label in said.split("|"):
        # With a third class beside it: each label is read on its own.
        classes, _ = labels.read([label, "asthma"])
        assert classes == {label: meant or label, "asthma": "asthma"}, label


@pytest.mark.parametrize(
    "header",
    [
        *("covid", "COVID-19", "covidStatus", "SARS-CoV-2", "Corona-Test", "covid (yes/no)", "COVID (1/0)"),
        "covid_pcr_result",
    ],
)
def test_answers_under_a_header_that_asks_for_covid(header):
    answers = "1/0 1/-1 1.0/0.0 +/- +/− +ve/-ve p/n Y/N TRUE/FALSE Positive/NEGATIVE pos/neg oui/non positiv/negativ"
    answers += " infected/non-infected positive/healthy detected/undetected"
    for positive, negative in (pair.split("/") for pair in answers.split()):
        assert labels.read([negative, positive, negative], header)[0] == {positive: YES, negative: NO}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        *[
            (header, ["1", "0"])
            for header in (
                "tb_status",
                "label",
                "covid_free",
                "no_covid",
                "covid_negative",
                "covid (0 = yes)",
                "covid 0/1 = yes/no",
                # Another question.
                *[
                    "covid_excluded",
                    "covid_vs_flu",
                    "long_covid",
                    "covidHospitalized",
                    "post_covid",
                    "covid_igg",
                    "mers_corona",
                    "covid_tested",
                ],
            )
        ],
        *[
            ("tb_status", said)
            for said in (
                ["+", "-"],
                ["positive", "negative"],
                ["yes", "no"],
                ["1", "-1"],
                ["healthy", "asthma"],
            )
        ],
        # Codes that nothing explains.
        *[
            ("covid", said)
            for said in (["1", "2"], ["-1", "0", "1"], ["0", "1", "2"], ["a", "b"], ["healthy", "sick"])
        ],
    ],
)
def test_other_labels_stay_as_the_list_has_them(header, said):
    assert labels.read(said, header)[0] == {label: label for label in said}


@pytest.mark.parametrize(
    "pair",
    [
        *(
            "да/нет",
            "sim/não",
            "ja/nej",
            "ja/nee",
            "WAHR/FALSCH",
            "陽性/陰性",
            "阳性/阴性",
            "evet/hayır",
            "+1/-1",
        ),
        *(
            "Detectable/No detectable",
            "Pos (CT 23.1)/Neg",
            "positive (+)/negative (-)",
            "positive_mild/healthy",
        ),
    ],
)
def test_answers_in_other_words(pair):
    positive, negative = pair.split("/")
    assert labels.read([positive, negative], "covid_result")[0] == {positive: YES, negative: NO}


@pytest.mark.parametrize(
    ("classes", "header"),
    [
        (["COVID negative (-)", "COVID positive (+)"], "label"),
        (["0_healthy", "1_covid"], ""),
        (["1. Healthy", "2. COVID-19"], "dx"),
    ],
)
def test_labels_that_name_covid_beside_signs_and_counts(classes, header):
    assert labels.read(classes, header)[0] == dict(zip(classes, (NO, YES), strict=True))


@pytest.mark.parametrize(
    ("said", "header", "unclear"),
    [
        (["covid:-1", "covid:1"], "label", "covid:-1"),
        (["covid_positive", "covid_negative_asthma"], "label", "covid_negative_asthma"),
        (["positive", "negative", "neg/pos"], "covid", "neg/pos"),
        (["positive", "sick"], "covid", "sick"),
        (["positive (not confirmed)", "negative"], "covid", "positive (not confirmed)"),
        (["+", "-", "+/-"], "covid", "+/-"),
    ],
)
def test_all_answers_are_read_or_none(said, header, unclear):
    classes, note = labels.read(said, header)
    assert classes == {label: label for label in said}
    assert (
        note == f"The labels are not read as answers to the question for COVID, because “{unclear}” is none."
    )


@pytest.mark.parametrize(
    ("header", "zero", "one"),
    [
        *[
            (header, YES, NO)
            for header in (
                *(
                    "label (0=covid, 1=healthy)",
                    "label: 0 covid 1 control",
                    "class (covid=0, healthy=1)",
                    "0=COVID 1=normal",
                ),
                *(
                    "covid: 0 = yes, 1 = no",
                    "COVID-19 [0: pos; 1: neg]",
                    "covid 0/healthy 1",
                    "y {0 -> covid, 1 -> no covid}",
                ),
            )
        ],
        ("SARS-CoV-2 (0 neg 1 pos)", NO, YES),
        ("label_0_healthy_1_covid", NO, YES),
        ("label (1 for asthma and 0 for healthy)", "healthy", "asthma"),
        # Not all codes are explained.
        ("label (0=covid)", "0", "1"),
        ("covid (1=no, 2=yes)", "0", "1"),
    ],
)
def test_a_header_that_explains_its_codes(header, zero, one):
    assert labels.read(["0", "1", "1.0"], header)[0] == {"0": zero, "1": one, "1.0": one}


def test_a_comment_explains_the_codes_of_the_column_that_it_names():
    for comment, zero in (
        ("label: 0 = covid, 1 = healthy", YES),
        ("0=covid 1=healthy", YES),
        ("sex: 0 = m, 1 = f", "0"),
    ):
        assert labels.read(["0", "1"], "label", ["made by me", comment])[0]["0"] == zero
    assert labels.read(["0", "1"], "label", ["0 = healthy", "1 = covid"])[0] == {"0": NO, "1": YES}


def test_a_class_beside_covid_stays_and_answers_are_read():
    assert labels.read(["positive", "negative", "recovered"], "covid_status")[0] == {
        "positive": YES,
        "negative": NO,
        "recovered": "recovered",
    }
    assert set(labels.read(["COVID-19", "healthy", "asthma"])[0].values()) == {YES, "healthy", "asthma"}
    assert set(labels.read(["COVID-19", "healthy"])[0].values()) == {YES, NO}


def test_spellings_of_a_label_are_one_class():
    classes, said = labels.read(
        ["asthma", "Asthma", "asthma", "ASTHMA ", "1.0", "1", "1.0", "no\u2011asthma", "no-asthma"]
    )
    assert set(classes.values()) == {"asthma", "1.0", "no\u2011asthma"}
    assert said.startswith("Labels: “1” as “1.0”, “ASTHMA ” as asthma")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("class_id", "The list does not say what its labels “0” and “1” mean."),
        ("tb_status", "The labels “0” and “1” mean what their header “tb_status” says."),
        ("label", "The list does not say what its labels “0” and “1” mean."),
        ("covid", "Labels: “0” as not COVID, “1” as COVID."),
    ],
)
def test_the_report_says_where_the_meaning_of_a_short_label_stands(header, sentence):
    assert labels.read(["1", "0"], header)[1] == sentence


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            ["yes", "no", "", "NA", "n/a", "NaN", "?", "unknown", "Untested", "pending", "-", "–"],
            ["yes", "no"],
        ),
        (["+", "-", "?"], ["+", "-"]),
        (["COVID+", "–", ""], ["COVID+", "–"]),
        (["positive", "-"], ["positive"]),
        (["asthma", "none"], ["asthma", "none"]),
        (["asthma", "copd", "None", "unknown"], ["asthma", "copd", "None"]),
        *(
            (["asthma", other, "none"], ["asthma", other])
            for other in ("healthy", "Control", "negative", "not covid", "0")
        ),
        (["positive", "None"], ["positive"]),
        (
            [
                "x",
                "Unknown/Void",
                "ND",
                "awaiting result",
                "prefer not to say",
                "don’t know",
                "n.d.",
                "not sure",
                "unbekannt",
            ],
            ["x"],
        ),
        (["not detected", "void deck"], ["not detected", "void deck"]),
    ],
)
def test_values_that_stand_for_no_label(said, kept):
    none, note = labels.missing(said)
    assert set(said) - none == set(kept)
    assert bool(note) == any(label in ("-", "–", "none", "None") for label in kept)


def test_a_title_in_a_sentence():
    assert [labels.title(label) for label in (YES, NO, "asthma", "1", "+", "p1", "喘息")] == [
        *("COVID", "not COVID", "asthma", "“1”", "“+”", "p1", "喘息")
    ]
