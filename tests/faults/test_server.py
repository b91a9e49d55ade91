"""A server with missing or changed models reports this, and answers again without a restart when they are restored."""

import httpx
import pytest

from coughlab.audio import synthetic
from coughlab.studies import store
from coughlab.studies.writer import replacing
from tests import servers
from tests.faults.test_kills import EVERY


def asked(url, **options):
    """Status of a prediction, and the code and the message of its error."""
    answer = httpx.post(
        f"{url}/api/v1/predict", files={"file": ("cough.wav", synthetic.sample())}, timeout=60, **options
    )
    error = answer.json().get("error", {})
    return answer.status_code, error.get("code"), error.get("message", "")


def health(url):
    """Status of the health, and the codes of its problems."""
    answer = httpx.get(f"{url}/api/v1/health", timeout=60)
    found = [problem["code"] for problem in answer.json()["problems"]]
    # The state of this machine's disk may be reported as well.
    return answer.status_code, [code for code in found if not code.startswith("disk_")]


def away(models, name):
    """Move a file or a folder away; the returned function restores it."""
    aside = models.parent / "aside"
    (models / name).rename(aside)
    return lambda: aside.rename(models / name)


def changed(models, name, content=None):
    """Change a file in place, as a failing disk might; the returned function restores it in place."""
    path = models / name
    before = path.read_bytes()
    path.write_bytes(before[:-9] + b"tampered!" if content is None else content)
    return lambda: path.write_bytes(before)


HARM = {
    "models": (
        lambda models: away(models.parent, "models"),
        "models_missing",
        "There is no study 'kaggle-trial'",
    ),
    "study": (
        lambda models: away(models, "kaggle-trial"),
        "study_missing",
        "There is no study 'kaggle-trial'",
    ),
    "detector": (lambda models: away(models, "detector"), "study_missing", "There is no study 'detector'"),
    "manifest": (
        lambda models: changed(models, "kaggle-trial/manifest.json", b"{"),
        "study_damaged",
        "kaggle-trial/manifest.json cannot be read",
    ),
    "the detector's manifest": (
        lambda models: changed(models, "detector/manifest.json", b"{}"),
        "study_damaged",
        "detector/manifest.json cannot be read",
    ),
    "a model": (
        lambda models: changed(models, "kaggle-trial/mlp.tflite"),
        "file_changed",
        "kaggle-trial/mlp.tflite was changed",
    ),
    "the detector's model": (
        lambda models: away(models, "detector/detector.tflite"),
        "file_missing",
        "detector/detector.tflite is missing",
    ),
    "what is known": (
        lambda models: changed(models, "kaggle-trial/known.json"),
        "file_changed",
        "kaggle-trial/known.json was changed",
    ),
}


@pytest.mark.parametrize("harm", HARM if EVERY else ["models", "manifest", "a model", "the detector's model"])
def test_a_server_that_starts_with_missing_files_reports_it_until_they_are_restored(models, harm):
    act, code, message = HARM[harm]
    mend = act(models)
    with servers.serving(MODELS=models, WORKERS=1) as server:
        assert health(server.url) == (503, [code])
        status, error_code, sentence = asked(server.url)
        assert (status, error_code) == (503, "study_unavailable")
        assert message in sentence and "Restore" in sentence and "Traceback" not in sentence
        mend()
        assert asked(server.url)[0] == 200 and health(server.url) == (200, [])


def test_a_server_that_loses_files_reports_it_until_they_are_restored(models):
    with servers.serving(MODELS=models, WORKERS=1) as server:
        assert asked(server.url)[0] == 200 and health(server.url) == (200, [])
        for act, code, message in HARM.values():
            mend = act(models)
            assert health(server.url) == (503, [code])
            status, _, sentence = asked(server.url)
            # Files that were read before the damage still work; files that are read again do not.
            assert status == 200 or (status == 503 and message in sentence)
            mend()
            assert asked(server.url)[0] == 200 and health(server.url) == (200, [])
        assert "Traceback" not in server.errors.read_text()


def test_a_retrained_study_answers_at_once(models):
    """Repeated several times: inode numbers are reused, so a new manifest can have the number of an earlier one."""
    folder = models / "kaggle-trial"
    stored = store.StoredStudy(folder)
    files = {name: stored.read(name) for name in stored.hashes}
    with servers.serving(MODELS=models, WORKERS=1) as server:
        for threshold in (0.1, 0.2, 0.3, 0.4):
            with replacing(folder) as writer:
                for name, data in files.items():
                    writer.write(name, data)
                model = stored.models["mlp"] | {"threshold": threshold}
                writer.manifest |= stored.manifest | {"models": stored.models | {"mlp": model}}
            answer = httpx.post(
                f"{server.url}/api/v1/predict", files={"file": ("a.wav", synthetic.sample())}, timeout=60
            )
            assert answer.json()["models"]["mlp"]["threshold"] == threshold
