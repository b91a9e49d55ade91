"""A minute of fuzzing; ``make fuzz`` runs for any time."""

import math

from coughlab.audio import containers
from tests import sounds
from tests.fuzz import decoder, web
from tests.fuzz.__main__ import Tally, growth
from tests.fuzz.inputs import file_of, rng_of, zip_file
from tests.fuzz.requests import KINDS, request_of
from tests.fuzz.server import Server
from tests.fuzz.structures import STRUCTURES

SEED = 7


def test_parsing_and_building_a_file_gives_the_same_bytes():
    # With valid checksums: a mutation passes them only if they are calculated as in the format.
    for name, make in sounds.FORMATS.items():
        data = make()
        kind = containers.sniff(data)
        if kind not in STRUCTURES or name in ("wav rf64", "mp3 id3"):  # length elsewhere, tag in front
            continue
        parse, build = STRUCTURES[kind]
        assert len(parse(data)) >= (1 if kind in ("wav", "aiff") else 2), name
        if kind == "matroska":  # its lengths are encoded differently
            assert build(parse(build(parse(data)))) == build(parse(data))
        else:
            assert build(parse(data)) == data, name
    _, data = zip_file(rng_of(SEED, 0))
    parse, build = STRUCTURES["zip"]
    assert build(parse(data)) == data


def test_an_input_is_reproducible_by_its_number():
    # Encoders write the time and random names into some files; of these only the length is reproducible.
    assert [file_of(SEED, n)[0] for n in range(50)] == [file_of(SEED, n)[0] for n in range(50)]
    kinds = {request_of(SEED, n).kind for n in range(400)}
    assert len(kinds) >= len(KINDS)
    assert [request_of(SEED, n) for n in range(50)] == [request_of(SEED, n) for n in range(50)]


def test_mutated_files_do_nothing_but_decode_or_be_refused(tmp_path):
    tally = Tally(SEED, tmp_path, lambda number: file_of(SEED, number)[1])
    decoder.check(SEED, 0, math.inf, 3000, tally)
    print(tally.summary())
    assert tally.findings == []
    assert tally.outcomes["decoded"] > 300 and tally.outcomes["damaged"] > 300
    assert tally.outcomes["unpacked"] and tally.outcomes["not unpacked"]


def test_hostile_requests_are_answered_and_leave_no_trace(tmp_path):
    tally = Tally(SEED, tmp_path, lambda number: b"".join(request_of(SEED, number).pieces))
    with Server(COUGHLAB_PAGES_STALL_S="4") as server:
        memory = web.check(server, SEED, 0, math.inf, 1500, tally)
        assert server.answers()
    print(tally.summary())
    assert tally.findings == []
    assert growth(memory) < 60
    statuses = {outcome[:3] for outcome in tally.outcomes}
    assert {"200", "400", "404", "405", "408", "413", "415", "422"} & statuses >= {
        "200",
        "400",
        "404",
        "405",
        "408",
        "422",
    }


def test_what_hangs_or_ends_its_process_is_found(tmp_path, monkeypatch):
    """A decoder process that fails is reported, and the next input is tried."""
    seen = []
    monkeypatch.setattr(decoder, "_work", _broken_work)
    decoder.check(SEED, 0, math.inf, 3, lambda *outcome: seen.append(outcome))
    assert [(number, outcome) for number, _, outcome, *_ in seen] == [
        (0, "decoded"),
        (1, "crash"),
        (2, "decoded"),
    ]
    assert "-11" in seen[1][-1]


def _broken_work(connection, seed, number, end):
    import os
    import signal

    for n in range(number, end):
        if n == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        connection.send((n, "wav", "decoded", 0, 0, None))
