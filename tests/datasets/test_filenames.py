"""File names can identify the person; names that are only counted cannot."""

import pytest

from coughlab.datasets import filenames

UUID = "60ab9383-73c9-444c-b80f-1e9abeb12449"


def grouped(stems, folder=""):
    """Numbers of the people, in the order of their first recording."""
    people = filenames.people([(folder, f"{stem}.wav") for stem in stems])
    return [list(dict.fromkeys(people)).index(person) for person in people]


@pytest.mark.parametrize(
    "stems",
    [
        ["patient012_3", "patient012_4"],
        ["p07", "p07-2", "p07_cough-03"],
        ["1-30344-A", "1-30344-B"],
        ["sub-01_take2", "sub-01 (1)", "sub-01_s2_t1"],
        ["P12_covid19_1", "P12_covid19_2"],
        ["s3_heavy", "s3_shallow", "s3_cough_heavy"],
        [f"{UUID}_0", f"{UUID}_1"],
        ["0421-084-1", "0421-084-2"],
        ["p07/cough1", "p07/cough2"],
        ["alice/cough1", "alice/cough2"],
        [f"p1_{number}" for number in range(10)],
    ],
    ids=lambda stems: stems[0],
)
def test_takes_of_one_person(stems):
    assert set(grouped([*stems, "somebody else"])) == {0, 1}


@pytest.mark.parametrize(
    "stems",
    [
        ["cough1", "cough2", "cough_3"],
        ["rec_001", "rec_002"],
        ["covid_19_001", "covid_19_002"],
        ["covid19-1", "covid19-2", "COVID-19_A", "COVID-19_B"],
        ["2020-04-13_001", "2020-04-13_002", "20200413_3", "20200413_4"],
        ["2021-03-15-10-22-33", "2021-03-15-10-22-34", "WhatsApp 2021-03-15 at 10.22.33", "20210315_102233"],
        ["2020_1", "2020_2", "2021_1"],
        ["batch1_001", "batch1_002", "device2_1", "device2_2"],
        [UUID, UUID[:-1] + "0", "e4589ce5-e477-4018-bfcf-ef64d8176791"],
        ["p01_1", "p02_1", "p03_1"],
        ["patient1", "patient2"],
        ["train/1", "train/2", "test/1", "test_set/2", "train_1", "train_2", "test_1", "test_2"],
        ["2020/a", "2020/b", "male/c", "male/d", "coughs/e", "coughs/f"],
        # Too many for one person: these are only counted.
        [f"x1_{number:03d}" for number in range(100)],
    ],
    ids=lambda stems: stems[0],
)
def test_counted_names_do_not_identify_people(stems):
    assert grouped(stems) == list(range(len(stems)))


ANNA = ("anna", "ben", "carla", "dora")
# Names of a person, with a number of the take, a letter, and what the recording is of.
LAYOUTS = [
    *(
        ("{name}_{take}", ANNA),
        ("{name}{take}", ANNA),
        ("{take}_{name}", ANNA),
        ("cough_{name} ({take})", ANNA),
    ),
    *(
        ("{name} {take}", ("Jon Smith", "Maria Lopez", "Li Wei", "Ana Abe")),
        ("{name}-{take}", ("AB", "CD", "EF", "GH")),
    ),
    *(("P{name}_{kind}", range(4)), ("P{name}{letter}", range(4)), ("{name:03d}{letter}", range(4))),
    *(
        ("2021030{take}_P{name}", range(4)),
        ("{name:03d}_2021-03-0{take}", range(4)),
        ("anna{name}_{uuid}", range(4)),
    ),
    *(
        ("{name:03d}_{kind}", range(17, 21)),
        ("Patient{name}_Husten{take}", range(4)),
        ("S{name}T{take}", range(4)),
    ),
    *(("Hasta{name}_Oksuruk{take}", range(4)), ("{name}_1b{take}_Al_sc_Meditron", range(101, 105))),
    *(
        ("{take}_P{name:02d}", range(4)),
        ("{take}_{name:03d}", range(17, 21)),
        ("c{take}_{name}", range(17, 21)),
    ),
    *(
        ("{name}_5.4_1_p{take}_12{take}", range(40996062, 40996066)),
        ("{name}_{take}_KH", ("Öz", "Łuk", "Анна", "Müller")),
    ),
]


@pytest.mark.parametrize("classes", [("ill", "well"), ("",)])
@pytest.mark.parametrize(
    ("pattern", "names"), LAYOUTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_people_are_found_in_many_ways_of_naming_without_a_list(pattern, names, classes):
    places, truth = [], []
    for number, name in enumerate(names):
        for take, letter, kind in (1, "a", "cough"), (2, "b", "breath"), (3, "c", "vowel-a"):
            uuid = f"{number}{take}{UUID[2:]}"
            own = pattern.format(name=name, take=take, letter=letter, kind=kind, uuid=uuid)
            places.append((classes[number * len(classes) // len(names)], f"{own}.wav"))
            truth.append(number)
    found = filenames.people(places)
    assert len(set(found)) == len(set(zip(found, truth, strict=True))) == len(names)


def test_a_person_may_have_many_recordings_and_other_names_for_some():
    names = [f"p{k}_{take}" for k in (1, 2, 3) for take in range(60)]
    assert len(set(filenames.people([("", f"{name}.wav") for name in names]))) == 3
    names = ["anna.wav", "anna (1).wav", "anna_2.wav", "ben_1.wav", "ben_2.wav", "ben_cough.wav"]
    assert set(filenames.people([("ill", name) for name in names])) == {"anna", "ben"}


CLASSES = ("hand", "elbow", "none")
TEN = (1, 2, 3, 4, 5, 6, 7, 97, 98, 99)


@pytest.mark.parametrize(
    ("pattern", "numbers", "classes", "expected"),
    [
        # The class's letter and its name do not belong to the person.
        ("{k}-m-{c[0]}-{take:02d}.wav", TEN, CLASSES, 10),
        ("p{k:02d}_{c}_{take}.wav", range(8), CLASSES, 8),
        ("{c}-p{k}.wav", range(8), CLASSES, 8),
        ("p{k:02d}.wav", range(8), CLASSES, 8),
        ("{c[1]}/p{k:02d}/cough{take}.wav", range(8), CLASSES, 8),
        ("{k}_{take}.wav", range(8), CLASSES, 8),
        ("speaker{k}/{take}.wav", range(8), CLASSES, 8),
        ("session{take}/p{k}.wav", range(8), CLASSES, 8),
        ("site{take}/3034{k}.wav", range(8), CLASSES, 8),
        ("Anna.wav", range(1), CLASSES, 1),
        # Numbers that no count explains are people; counts are not.
        ("{k}.wav", TEN, CLASSES, 10),
        ("{k:03d}.wav", range(1, 21), CLASSES, 60),
        ("{k:05d}.wav", range(1, 21), CLASSES, 60),
        ("{c}_{k}.wav", range(1, 21), CLASSES, 60),
        ("cough{k}.wav", range(8), CLASSES, 24),
        ("rec_{k:03d}.wav", range(8), CLASSES, 24),
        ("2020-04-13_{k}.wav", range(8), CLASSES, 24),
        ("cough.wav", range(1), CLASSES, 3),
        # Nobody is in two of these groups.
        ("p{k}_{take}.wav", range(8), ("male", "female"), 16),
        ("site{take}/p{k}.wav", range(8), CLASSES, 16),
    ],
)
def test_people_whose_recordings_are_in_several_folders(pattern, numbers, classes, expected):
    names = [(c, pattern.format(k=k, c=c, take=take)) for c in classes for k in numbers for take in (1, 2)]
    assert len(set(filenames.people(names))) == expected


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["anna_1", "anna_2", "ben_1", "ben_2"],
            "taken for the name of a person: anna in anna_1.wav, ben in ben_1.wav.",
        ),
        (["p1_1", "p1_2", "p2_1", "p2_2"], ""),
        (TEN, "in several classes was taken for one person: 1, 2, 3 and 7 more."),
    ],
)
def test_what_a_comparison_of_names_showed_is_said(names, said):
    classes = ("before", "after") if names == TEN else ("ill",)
    places = [(label, f"{name}.wav") for label in classes for name in names]
    text = filenames.assumed(places, filenames.people(places))
    assert said in text and bool(said) == bool(text)


def test_a_person_may_be_written_in_two_ways():
    places = [("ill", "P07_1.wav"), ("well", "p07.wav"), ("ill", "5.wav"), ("well", "p08.wav")]
    assert filenames.people(places) == ["P07", "P07", "ill/5.wav", "well/p08.wav"]
