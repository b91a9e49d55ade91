"""``coughlab batch``: answers for a folder are written to one file, and an interrupted run can be continued."""

import csv
import json
import os
import signal
import subprocess
import sys

import pytest

from coughlab import audio
from coughlab.cli import main
from coughlab.serving import batch, batch_file, predictors
from coughlab.studies import store
from tests import sounds

WAV, WEBM = (sounds.FORMATS[kind]() for kind in ("wav 16-bit", "webm opus"))


@pytest.fixture
def folder(tmp_path):
    """Recordings, one of them damaged, and entries that are not recordings."""
    folder = tmp_path / "recordings"
    for name, data in {
        "a.wav": WAV,
        "letter.wav": b"Dear Sir",
        "ward 1/b.webm": WEBM,
        "ward 1/no ending": WAV,
        "ward 1/list.csv": b"a,b",
        ".hidden.wav": WAV,
        ".git/c.wav": WAV,
        "__MACOSX/d.wav": WAV,
        "ward 1/._b.webm": b"x",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


NAMES = ["a.wav", "letter.wav", "ward 1/b.webm", "ward 1/no ending"]


def lines(out):
    return [json.loads(line) for line in out.read_text().splitlines()]


def coughlab(*arguments):
    """Exit status of the command; it runs in this process."""
    with pytest.raises(SystemExit) as left:
        main.main([str(argument) for argument in arguments])
    return left.value.code


@pytest.fixture
def out(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def asked(monkeypatch):
    """Names of the answered files, in their order."""
    names, answer = [], batch.answer

    def listens(name, *arguments, **options):
        names.append(name)
        return answer(name, *arguments, **options)

    monkeypatch.setattr(batch, "answer", listens)
    return names


def test_one_line_per_recording_with_the_api_s_answer_and_a_bad_file_stops_nothing(folder, out, capsys):
    (folder / "up").symlink_to(folder.parent)
    assert coughlab("batch", folder, "--out", out, "--prevalence", "0.2") == 1
    printed = capsys.readouterr()
    found = lines(out)
    assert [line["file"] for line in found] == NAMES
    predictor = predictors.default()
    for name, line in zip(NAMES, found, strict=True):
        stat = (folder / name).stat()
        assert line.pop("source") == {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
        assert line.pop("asked")["prevalence"] == 0.2
        assert line.pop("file") == name
        if name == "letter.wav":
            assert line == {"error": {"code": "not_audio", "message": audio.MESSAGES["not_audio"]}}
        else:
            recording = audio.load(folder / name)
            assert line == json.loads(json.dumps(predictor.predict(recording, prevalence=0.2).to_dict()))
    assert f"coughlab: letter.wav: {audio.MESSAGES['not_audio']}" in printed.err
    assert "4 files: " in printed.out and "1 could not be read" in printed.out and str(out) in printed.out
    assert "Left out, as they are no recordings: 1.\n" in printed.out
    assert "Left out, as links to folders or out of the folder are not followed: up.\n" in printed.out


def test_run_again_it_answers_what_is_new_or_changed_and_nothing_else(folder, out, asked, capsys):
    coughlab("batch", folder, "--out", out)
    first = {line["file"]: line for line in lines(out)}
    asked.clear()
    assert coughlab("batch", folder, "--out", out) == 1
    assert asked == [] and {line["file"]: line for line in lines(out)} == first
    assert "not changed since: 4." in capsys.readouterr().out
    (folder / "letter.wav").write_bytes(WAV)
    # The file has the same length as before.
    (folder / "ward 1/no ending").write_bytes(WAV[:-2] + b"\1\0")
    os.utime(folder / "ward 1/no ending", ns=(1, 1))
    (folder / "new.wav").write_bytes(WEBM)
    assert coughlab("batch", folder, "--out", out) == 0
    assert asked == ["letter.wav", "new.wav", "ward 1/no ending"]
    now = {line["file"]: line for line in lines(out)}
    assert len(lines(out)) == len(now) == 5 and "error" not in now["letter.wav"]
    assert now["a.wav"] == first["a.wav"]
    asked.clear()
    coughlab("batch", folder, "--out", out, "--again")
    assert asked == sorted(now) and len(lines(out)) == 5


def test_answers_to_deleted_files_stay(folder, out):
    coughlab("batch", folder, "--out", out)
    (folder / "letter.wav").unlink()
    (folder / "ward 1/b.webm").rename(folder / "e.webm")
    assert coughlab("batch", folder, "--out", out) == 1
    assert [line["file"] for line in lines(out)] == [*NAMES, "e.webm"]


@pytest.mark.parametrize("cut", [1, 40, 400, -4])
def test_a_file_with_an_incomplete_last_line_is_answered_again(folder, out, asked, cut):
    coughlab("batch", folder, "--out", out)
    whole = out.read_bytes()
    *kept, last = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(kept) + last[:cut])
    asked.clear()
    coughlab("batch", folder, "--out", out)
    assert asked == NAMES[-1:] and out.read_bytes() == whole


def test_a_file_with_a_temporary_error_is_tried_again(folder, out, asked, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(predictors.Predictor, "warm_up", lambda self: None)
        broken.setattr(predictors.Predictor, "predict", lambda *arguments, **options: 1 / 0)
        assert coughlab("batch", folder, "--out", out) == 1
    assert lines(out)[0]["error"]["code"] == batch.INTERNAL
    asked.clear()
    coughlab("batch", folder, "--out", out)
    assert asked == [name for name in NAMES if name != "letter.wav"]


@pytest.mark.parametrize(
    ("options", "why"),
    [(["--prevalence", "0.3"], "another --prevalence"), (["--force"], "another choice of --force")],
)
def test_answers_made_with_other_options_are_not_mixed(folder, out, capsys, options, why):
    coughlab("batch", folder, "--out", out)
    before = out.read_bytes()
    assert coughlab("batch", folder, "--out", out, *options) == 2
    assert why in capsys.readouterr().err and out.read_bytes() == before
    assert coughlab("batch", folder, "--out", out, "--again", *options) == 1
    assert lines(out)[0]["asked"] != json.loads(before.splitlines()[0])["asked"]


def test_answers_by_other_models_are_not_mixed(folder, out, capsys, monkeypatch):
    coughlab("batch", folder, "--out", out)
    monkeypatch.setattr(batch_file, "identity", lambda predictor: "others")
    assert coughlab("batch", folder, "--out", out) == 2
    assert "by other models" in capsys.readouterr().err


def test_forced_answers_do_not_depend_on_the_detector(folder, out, monkeypatch):
    options = []

    def listens(name, source, predictor, **given):
        options.append(given)
        return batch.failure(name, "damaged", "Broken.")

    monkeypatch.setattr(batch, "answer", listens)
    coughlab("batch", folder, "--out", out, "--force", "--prevalence", "0.5")
    assert options == 4 * [{"force": True, "prevalence": 0.5}]


def test_the_table_has_all_answers_including_those_of_earlier_runs(folder, out, tmp_path):
    name = os.fsdecode(b"bad\xff.wav")
    (folder / name).write_bytes(b"x")
    coughlab("batch", folder, "--out", out)
    assert lines(out)[1]["file"] == name
    table = tmp_path / "answers.csv"
    coughlab("batch", folder, "--out", out, "--csv", table)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [NAMES[0], "bad?.wav", *NAMES[1:]]
    answers = {line["file"]: line for line in lines(out)}
    for row in rows:
        answer = answers.get(row["file"], {"error": {"code": "not_audio"}})
        assert row["status"] == ("error" if "error" in answer else "ok")
        assert row["error_code"] == answer.get("error", {}).get("code", "")
        assert row["label"] == (answer.get("label") or "")
        assert row["coughs"] == str(answer["cough"]["found"] if "cough" in answer else "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "answers.jsonl", "recordings"]


def test_links_out_of_the_folder_and_pipes_are_left_out(folder, out, tmp_path):
    (tmp_path / "outside.wav").write_bytes(WAV)
    (folder / "link.wav").symlink_to(tmp_path / "outside.wav")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.wav")
    assert batch_file.recordings(folder) == (NAMES, 2, ["link.wav", "up"])


def test_a_run_that_cannot_start_reports_the_reason_in_one_line(folder, out, tmp_path, capsys):
    (tmp_path / "set.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked" / ".hidden").mkdir(parents=True)
    (tmp_path / "linked" / "ward").symlink_to(folder)
    (tmp_path / "text.txt").write_text("Dear Sir,\n")
    (tmp_path / "binary").write_bytes(b"\0" * 9)
    for arguments, why in [
        ((tmp_path / "none", "--out", out), "There is no folder"),
        ((tmp_path / "set.zip", "--out", out), "Unpack it first"),
        ((tmp_path / "empty", "--out", out), "no recordings"),
        (
            (tmp_path / "linked", "--out", out),
            "not followed: ward. Put in their place what they lead to. Hidden",
        ),
        ((folder, "--out", tmp_path / "none" / "a.jsonl"), "There is no folder"),
        ((folder, "--out", out, "--csv", tmp_path / "none" / "a.csv"), "There is no folder"),
        ((folder, "--out", out, "--csv", out), "two files"),
        ((folder, "--out", tmp_path), "could not be written"),
        # A file that does not contain answers is never overwritten, not even by --again.
        ((folder, "--out", tmp_path / "text.txt"), "is no answer"),
        ((folder, "--out", tmp_path / "text.txt", "--again"), "is no answer"),
        ((folder, "--out", tmp_path / "binary", "--again"), "is no answer"),
        ((folder, "--out", folder / "a.wav"), "is no answer"),
    ]:
        assert coughlab("batch", *arguments) == 2, why
        complaint = capsys.readouterr().err.splitlines()[-1]
        assert complaint.startswith("coughlab: ") and why in complaint
    assert not out.exists() and (tmp_path / "text.txt").read_text() == "Dear Sir,\n"
    assert (tmp_path / "binary").read_bytes() == b"\0" * 9 and (folder / "a.wav").read_bytes() == WAV


def test_without_models_it_cannot_start(folder, out, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(predictors, "MODELS", tmp_path / "none")
    assert coughlab("batch", folder, "--out", out) == 2
    assert "There is no study" in capsys.readouterr().err and not out.exists()


def test_a_model_that_disappears_during_a_run_ends_it_and_keeps_the_answers(folder, out, capsys, monkeypatch):
    answer = batch.answer

    def breaks(name, *arguments, **options):
        if name == "ward 1/b.webm":
            raise store.StoreError("It was changed.")
        return answer(name, *arguments, **options)

    monkeypatch.setattr(batch, "answer", breaks)
    assert coughlab("batch", folder, "--out", out) == 2
    assert "It was changed." in capsys.readouterr().err
    assert [line["file"] for line in lines(out)] == NAMES[:2]


def test_ctrl_c_keeps_what_was_answered_and_writes_the_table_of_it(folder, out, tmp_path):
    def stops(stage, done, total):
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch_file.answer_folder(
            folder, out, predictors.default(), csv=tmp_path / "answers.csv", progress=stops
        )
    assert [line["file"] for line in lines(out)] == NAMES[:2]
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 3


def test_two_runs_do_not_write_to_one_file(folder, out, capsys):
    others = []

    def another(stage, done, total):
        others.append(coughlab("batch", folder, "--out", out, *["--again"] * (done % 2)))

    batch_file.answer_folder(folder, out, predictors.default(), progress=another)
    assert len(others) > 2 and set(others) == {2}
    assert f"Another run is writing to {out}." in capsys.readouterr().err
    assert [line["file"] for line in lines(out)] == NAMES
    assert coughlab("batch", folder, "--out", out) == 1


@pytest.mark.parametrize(("how", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_terminated_process_loses_nothing_and_can_be_continued(out, tmp_path, how, status, capsys, asked):
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(80):
        (folder / f"{n:03}.wav").write_bytes(WAV)
    command = [sys.executable, "-m", "coughlab", "batch", str(folder), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    seen = ""
    for character in iter(lambda: process.stderr.read(1), ""):
        seen += character
        # The progress bar is drawn for the third time: some files are answered, most are not.
        if seen.count("Recordings") == 3:
            break
    assert process.poll() is None, seen
    process.send_signal(how)
    rest = process.communicate()[1]
    assert process.returncode == status
    if how == signal.SIGINT:
        assert rest.splitlines()[-1] == "coughlab: Stopped. What was finished is kept."
        assert "Traceback" not in rest
    text = out.read_bytes()
    done = text.count(b"\n")
    assert 0 < done < 80
    assert coughlab("batch", folder, "--out", out) == 0
    assert asked == [f"{n:03}.wav" for n in range(done, 80)]
    assert out.read_bytes().startswith(text) and len(lines(out)) == 80
