"""Small collections of synthetic sounds, in the layouts of the four collections that the detector is trained on."""

import json

import numpy as np
import soundfile

from coughlab.audio import synthetic
from coughlab.detector.training import sounds

RATE = 16_000
PEOPLE = 5


def write(path, y):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, y, RATE)


def coughs(seed):
    rng = np.random.default_rng(seed)
    return synthetic.recording(
        onsets_s=(0.4, 1.3, 2.1), duration_s=3.0, rate=RATE, seed=seed, noise=10 ** -rng.uniform(2.5, 4)
    )


def breathing(seed):
    y = sounds.noise(rate=RATE, seed=seed, duration_s=3.0)
    return y * np.abs(np.sin(np.arange(y.size) / RATE * 2)).astype(np.float32)


def make(folder):
    """Write the four collections, five people or clips each, and return the folder."""
    listed = ["file_properties,class"]
    for number in range(PEOPLE):
        name = f"ab{number}defghijk_ 0.000_ 10.000.wav"
        write(folder / "kaggle-trial/trial_covid" / name, coughs(number))
        listed.append(f"{name},not_covid")
    (folder / "kaggle-trial/cough_trial_extended.csv").write_text("\n".join(listed))
    items = []
    for number in range(PEOPLE):
        write(folder / "covid19-cough/raw" / f"{number}.wav", coughs(100 + number))
        items.append({"filename": f"{number}.wav", "covid19": number % 2 == 0, "source": "telegram"})
    (folder / "covid19-cough/metadata.json").write_text(json.dumps(items))
    people = ["id,covid_status,record_date"]
    for number in range(PEOPLE):
        place = folder / f"coswara-sample/20200413/person{number}"
        for k, kind in enumerate(("cough-heavy", "cough-shallow")):
            write(place / f"{kind}.ogg", coughs(200 + 10 * number + k))
        write(place / "breathing-deep.ogg", breathing(number))
        write(place / "counting-normal.ogg", sounds.speech(rate=RATE, seed=number))
        write(place / "vowel-a.ogg", sounds.speech(rate=RATE, seed=50 + number, duration_s=2.0))
        people.append(f"person{number},healthy,2020-04-13")
    (folder / "coswara-sample/combined_data.csv").write_text("\n".join(people))
    for number in range(PEOPLE):
        write(folder / f"esc10/001 - Dog bark/1-{number}00-A.ogg", sounds.knocks(rate=RATE, seed=number))
        write(folder / f"esc10/002 - Rain/1-{number}50-A.ogg", sounds.music(rate=RATE, seed=number))
    return folder
