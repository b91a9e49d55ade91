"""Which folders are those of the classes; tests/datasets/test_own_folder.py reads whole collections."""

import pytest

from coughlab.datasets import class_folders

HEALTH, NAMES = ("healthy", "ill"), ("anna", "ben", "carla", "dora")


def found(outer, inner, files=("1.wav", "2.wav")):
    return class_folders.find(f"{top}/{below}/{name}" for top in outer for below in inner for name in files)


def labels(layout):
    return {one.label for one in layout.placed}


@pytest.mark.parametrize(
    "outer",
    [
        *(
            ("fold1", "fold2"),
            ("train_set", "test_set"),
            ("Train", "Validation"),
            ("split-0", "split-1"),
            ("set A", "set B"),
        ),
        *(
            ("cough", "breath"),
            ("cough heavy", "cough shallow"),
            ("hospital A", "hospital B"),
            ("site1", "site2"),
        ),
        *(
            ("2021-03-01", "2021-03-02"),
            ("P01", "P02", "P03"),
            ("iphone", "android"),
            ("Geneva", "Basel"),
            ("male", "female"),
        ),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("inner", [HEALTH, ("COVID+", "COVID-"), ("0", "1")], ids=" ".join)
def test_the_same_folders_inside_every_folder_are_the_classes(outer, inner):
    layout = found(outer, inner)
    assert labels(layout) == set(inner) and not layout.are_people
    assert "taken for the classes" in layout.said or all(map(class_folders.name_parts.is_part, outer))


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (HEALTH, ("cough", "breath")),
        (HEALTH, ("hospital A", "hospital B")),
        (HEALTH, ("train", "test")),
        (HEALTH, ("P01", "P02")),
        (HEALTH, ("1", "2", "3")),
        (HEALTH, NAMES),
        (HEALTH, ("male", "female")),
        (HEALTH, ("2021-03-01", "2021-03-02")),
        (("cough", "noise"), ("fold1", "fold2")),
        (("hand", "elbow"), ("P01", "P02")),
        (("rest", "exercise"), NAMES),
    ],
)
def test_folders_inside_the_classes_are_no_classes(outer, inner):
    layout = found(outer, inner)
    assert labels(layout) == set(outer) and not layout.said


def test_folders_of_parts_may_lie_around_each_other_and_lack_a_class():
    names = [
        f"hospital {place}/{kind}/{label}/1.wav"
        for place in "AB"
        for kind in ("cough", "breath")
        for label in HEALTH
    ]
    layout = class_folders.find(names[:-1])
    assert labels(layout) == set(HEALTH) and {one.source for one in layout.placed} == {"cough", "breath"}
    assert {one.inside for one in layout.placed} == {"hospital A/1.wav", "hospital B/1.wav"}


@pytest.mark.parametrize(
    ("names", "are_people"),
    [
        (("P000", "P001"), True),
        (("subject 1", "subject 2"), True),
        (("001", "002", "017"), True),
        (("2021-03-01", "2021-03-02"), True),
        (("anna", "ben"), False),
        (("0", "1", "2"), False),
        (("S1", "S2"), False),
        (("001 - Dog bark", "002 - Rain"), False),
        (("covid19", "healthy"), False),
        (("P01", "healthy"), False),
    ],
)
def test_classes_that_are_named_like_people_or_dates_are_noticed(names, are_people):
    assert class_folders.find(f"{name}/1.wav" for name in names).are_people == are_people
