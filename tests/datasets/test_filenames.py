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
        ["2020/a", "2020/b", "male/c", "male/d", "coughs/e", "coughs/f"],
        # Too many for one person: these are only counted.
        [f"x1_{number:03d}" for number in range(100)],
    ],
    ids=lambda stems: stems[0],
)
def test_counted_names_do_not_identify_people(stems):
    assert grouped(stems) == list(range(len(stems)))


def test_the_count_of_people_may_restart_in_each_folder():
    places = [(folder, f"{stem}.wav") for folder in ("ill", "well") for stem in ("p1_1", "p1_2", "7-30344-A")]
    people = filenames.people(places)
    assert people[0] == people[1] != people[3] == people[4]
    # A long number is unique.
    assert people[2] == people[5]
