"""A server whose models are missing or were changed says so, and answers again when they are back, without being started anew."""

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
    # Only what the disk of this machine is like may be told beside it.
    return answer.status_code, [code for code in found if not code.startswith("disk_")]


def away(models, name):
    """Take a file or a folder away; what is returned puts it back."""
    aside = models.parent / "aside"
    (models / name).rename(aside)
    return lambda: aside.rename(models / name)


def changed(models, name, content=None):
    """Change a file where it lies, as a failing disk might; what is returned puts it back where it lies, too."""
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
def test_a_server_that_starts_without_what_it_needs_says_so_until_it_is_there(models, harm):
    act, code, message = HARM[harm]
    mend = act(models)
    with servers.serving(MODELS=models, WORKERS=1) as server:
        assert health(server.url) == (503, [code])
        status, told, sentence = asked(server.url)
        assert (status, told) == (503, "study_unavailable")
        assert message in sentence and "Restore" in sentence and "Traceback" not in sentence
        mend()
        assert asked(server.url)[0] == 200 and health(server.url) == (200, [])


def test_a_server_that_loses_what_it_needs_says_so_until_it_is_back(models):
    with servers.serving(MODELS=models, WORKERS=1) as server:
        assert asked(server.url)[0] == 200 and health(server.url) == (200, [])
        for act, code, message in HARM.values():
            mend = act(models)
            assert health(server.url) == (503, [code])
            status, _, sentence = asked(server.url)
            # What was read before the harm was done still answers; what is read anew does not.
            assert status == 200 or (status == 503 and message in sentence)
            mend()
            assert asked(server.url)[0] == 200 and health(server.url) == (200, [])
        assert "Traceback" not in server.errors.read_text()


def test_a_study_that_is_trained_anew_is_answered_by_at_once(models):
    """However often: numbers of files are given anew, so that a manifest may have the number of one before it."""
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
