"""Answers to recordings as the API gives them, made up."""

from coughlab.serving import batch

VERDICT = {
    "verdict": "weak",
    "message": "On elsewhere (90 recordings of 80 people), MLP has an ROC AUC of 0.62.",
    "prevalence": 0.05,
    "probability_after": 0.07,
    "probability_after_interval": [0.06, 0.08],
    "likelihood_ratio": 1.4,
    "likelihood_ratio_interval": [1.2, 1.6],
}


def coughs(file, *, says=("not_covid", "not_covid"), surety=(0.99, 0.95), quality=(), verdict="weak"):
    """Of a recording with coughs: `says` are the labels of mlp and cnn, `surety` is the probability of each cough."""
    evidence = VERDICT | {"verdict": verdict}
    chance = {"not_covid": 0.25, "covid": 0.75}
    said = dict(zip(("mlp", "cnn"), says, strict=True))
    return {
        "file": file,
        "label": said["mlp"],
        "probability": chance[said["mlp"]],
        "model": "mlp",
        "cough": {"found": len(surety), "probability": max(surety), "heard": None},
        "evidence": evidence,
        "novelty": {"p": 0.4, "code": "familiar", "message": "Not unlike those.", "trained_on": "here"},
        "models": {
            name: {
                "label": label,
                "probability": chance[label],
                "threshold": 0.5,
                "coughs": {"not_covid": 0, "covid": 0} | {label: len(surety)},
                "evidence": evidence,
            }
            for name, label in said.items()
        },
        "audio": {"duration_s": 1.5, "sample_rate": 8000, "channels": 1, "codec": "pcm_16"},
        "events": [
            {
                "start_s": k / 2,
                "end_s": k / 2 + 0.25,
                "probability": probability,
                "models": {
                    name: {"label": label, "probability": chance[label]} for name, label in said.items()
                },
            }
            for k, probability in enumerate(surety)
        ],
        "quality": [{"code": code, "message": f"It is {code}."} for code in quality],
        "study": "here",
        "version": "1",
    }


def no_cough(file, *, probability=0.01, quality=()):
    """Of a recording without a cough."""
    return coughs(file, surety=(0,), quality=quality) | {
        "label": None,
        "probability": None,
        "cough": {
            "found": 0,
            "probability": probability,
            "heard": {"code": "voice", "message": "It sounds like speech."},
        },
        "evidence": None,
        "novelty": None,
        "models": {},
        "events": [],
    }


def failed(file):
    """Of a file that is no recording."""
    return batch.failure(file, "not_audio", "This is not a sound file.")
