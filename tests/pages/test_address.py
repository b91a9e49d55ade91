"""Parameters in a page's address: the same short names on all pages, and unknown values are reported."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import navigation


def script(models):
    import streamlit as st

    from pages.shared import address

    st.text(address.choose(st.selectbox, "Model", models, key="model"))
    st.text(address.choose(st.selectbox, "Recording", ["a.wav", "b.wav"], key="recording", optional=True))
    names = address.choose_several(
        st.pills, "Curves", models, key="curves", default=["mlp"], selection_mode="multi"
    )
    st.text(",".join(names))
    st.text(address.enter(st.number_input, "Seed", 0, 99, key="seed", default=7))
    st.text(address.number("threshold", 0, 1, 0.5))
    st.text(address.name("cell", ["tp", "fn"]))


MODELS = {"mlp": "MLP", "knn": "Nearest neighbour", "cnn": "CNN"}
DEFAULTS = ["mlp", "None", "mlp", "7", "0.5", "None"]


def opened(**query):
    app = AppTest.from_function(script, default_timeout=60, args=(MODELS,))
    app.query_params.update(query)
    return ran(app)


def ran(app):
    app.run()
    assert not app.exception
    return app


def texts(app):
    return [element.value for element in app.text]


def warnings(app):
    return [element.value for element in app.warning]


def query(app):
    return dict(app.query_params)


def test_an_address_without_names_has_the_defaults():
    app = opened()
    assert texts(app) == DEFAULTS and query(app) == {} and not warnings(app)


def test_an_address_names_what_is_shown():
    asked = {
        "model": "knn",
        "recording": "b.wav",
        "curves": "knn,cnn",
        "seed": "3",
        "threshold": "0.25",
        "cell": "fn",
    }
    app = opened(**asked)
    assert texts(app) == list(asked.values()) and not warnings(app)
    assert query(app) == asked


def test_a_choice_goes_into_the_address_and_a_default_out_of_it():
    app = opened()
    app.selectbox("model").set_value("cnn")
    app.number_input("seed").set_value(8)
    app.pills("curves").set_value([])
    ran(app)
    assert texts(app) == ["cnn", "None", "", "8", "0.5", "None"]
    assert query(app) == {"model": "cnn", "seed": "8", "curves": ""}
    app.selectbox("model").set_value("mlp")
    app.pills("curves").set_value(["mlp"])
    assert texts(ran(app))[:3] == ["mlp", "None", "mlp"]
    assert query(app) == {"seed": "8"}


@pytest.mark.parametrize(
    ("key", "asked", "possible"),
    [
        ("model", "oracle", "mlp, knn, cnn. Shown instead: mlp."),
        ("recording", "c.wav", r"a\.wav, b\.wav."),
        ("curves", "knn,oracle", "mlp, knn, cnn. Shown instead: mlp."),
        ("seed", "100", "a number from 0 to 99. Shown instead: 7."),
        ("seed", "1.5", "a number from 0 to 99. Shown instead: 7."),
        ("threshold", "nan", r"a number from 0 to 1. Shown instead: 0\.5."),
        ("cell", "all", "tp, fn."),
    ],
)
def test_an_unknown_value_is_reported_and_the_default_is_shown(key, asked, possible):
    app = opened(**{key: asked})
    assert texts(app) == DEFAULTS
    (message,) = warnings(ran(app))
    assert message.startswith(f"This page's address asks for {key}=")
    assert message.endswith(f"which is unknown here. Possible: {possible}")
    # The message and the address stay until a value is chosen.
    assert warnings(ran(app)) == [message]
    assert query(app) == {key: asked}
    if key == "model":
        app.selectbox("model").set_value("knn")
        assert warnings(ran(app)) == [] and query(app) == {"model": "knn"}


def test_values_in_an_address_are_not_markup():
    (message,) = warnings(opened(model="<b>*x*"))
    assert r"model=\<b\>\*x\*, which" in message


def test_old_links_with_titles_still_work():
    app = opened(model="Nearest neighbour", curves=["Nearest neighbour", "CNN"])
    assert texts(app)[:3] == ["knn", "None", "knn,cnn"] and not warnings(app)
    assert query(app) == {"model": "knn", "curves": "knn,cnn"}


def script_of_a_required_choice():
    import streamlit as st

    from pages.shared import address

    views = {"few": "Few", "many": "Many"}
    st.text(address.choose(st.segmented_control, "View", views, key="view", required=True))


def test_an_empty_value_of_a_required_choice_is_ignored():
    app = AppTest.from_function(script_of_a_required_choice, default_timeout=60)
    app.query_params["view"] = "many"
    assert texts(ran(app)) == ["many"]
    # A browser sends this after a click that comes before the page has told it what is chosen.
    app.segmented_control("view").set_value(None)
    assert texts(ran(app)) == ["many"] and query(app) == {"view": "many"} and not warnings(app)


def test_a_changed_address_is_followed_as_after_going_back():
    app = opened(model="knn")
    app.query_params["model"] = "cnn"
    assert texts(ran(app))[0] == "cnn"
    del app.query_params["model"]
    assert texts(ran(app))[0] == "mlp"


def test_a_choice_that_is_no_longer_possible_is_dropped_without_a_message():
    app = opened(model="cnn", curves="cnn")
    app.args = ({"knn": "Nearest neighbour", "mlp": "MLP"},)
    ran(app)
    assert texts(app)[:3] == ["knn", "None", "mlp"] and not warnings(app)
    assert query(app) == {}


@pytest.mark.parametrize("name", ["compare", "matrices", "splits", "reality", "clinicians"])
def test_every_page_with_a_study_and_a_protocol_reports_an_unknown_one(name):
    app = AppTest.from_file(str(navigation.FOLDER / f"{name}.py"), default_timeout=60)
    keys = ["study", "protocol"] if name == "compare" else ["study", "model", "protocol"]
    for key in keys:
        app.query_params[key] = "nonsense"
    messages = " ".join(warnings(ran(app)))
    assert all(f"asks for {key}=nonsense, which is unknown here. Possible: " in messages for key in keys)


@pytest.mark.parametrize("name", ["about", "analyse", "batch", "live", "search"])
def test_a_page_without_a_choice_of_the_study_reports_another_one(name):
    app = AppTest.from_file(str(navigation.FOLDER / f"{name}.py"), default_timeout=60)
    app.query_params["study"] = "another"
    assert any("asks for study=another, which is unknown here" in text for text in warnings(ran(app)))


@pytest.mark.parametrize("name", ["matrices", "splits", "reality", "clinicians"])
def test_every_page_uses_the_same_names_for_study_model_and_protocol(name):
    app = AppTest.from_file(str(navigation.FOLDER / f"{name}.py"), default_timeout=60)
    app.query_params.update({"study": "covid19-cough", "model": "knn", "protocol": "source-balanced"})
    ran(app)
    assert not [text for text in warnings(app) if "unknown here" in text]
    for key, value in {"study": "covid19-cough", "model": "knn", "protocol": "source-balanced"}.items():
        assert app.selectbox(key).value == value
