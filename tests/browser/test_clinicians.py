"""The page "For clinicians" in a real Chromium: the browser computes the same as `coughlab.evaluation.decision`."""

import re

import pytest
from playwright.sync_api import expect

from coughlab.evaluation import decision
from coughlab.serving import predictors

QUERY = "model=mlp&protocol=published"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def percent(share):
    if 0 < share < 0.001:
        return "under 0.1%"
    return "over 99.9%" if 0.999 < share < 1 else f"{share:.1%}"


def expect_numbers(page, rows, threshold, prevalence):
    """Check cards, people, nomogram and decision curve at a threshold and a prevalence."""
    (line,) = decision.at(rows, [threshold]).to_dict("records")
    ratios = [
        decision.Estimate(*(line[f"{name}{end}"] for end in ("", "_low", "_high")))
        for name in decision.RATIOS
    ]
    ppv, npv = decision.predictive_values(prevalence, decision.Ratios(*ratios, line["corrected"]))
    for measure, (value, low, high) in {"ppv": ppv, "npv": npv}.items():
        card = page.locator(f".cards [data-measure={measure}]")
        expect(card.locator(".value")).to_have_text(percent(value))
        expect(card.locator(".interval")).to_have_text(f"95% interval {percent(low)} to {percent(high)}")
    expect(page.get_by_role("slider", name="Predicted COVID from a probability of")).to_be_visible()
    expect(page.get_by_role("slider", name="have COVID (prevalence)")).to_be_visible()
    card = page.locator(".cards [data-measure=positive_ratio]")
    expect(card.locator(".value")).to_have_text(re.compile(re.escape(f"{ratios[0].value:.3g}")))
    expect(page.locator(".cards [data-measure=sensitivity] .value")).to_have_text(
        percent(line["sensitivity"])
    )
    people = decision.people(prevalence, line["sensitivity"], line["specificity"])
    figure = page.locator("[data-figure=people] svg")
    for count, words in zip(people, ("found", "missed", "alarmed", "not alarmed"), strict=True):
        expect(figure).to_have_attribute(
            "aria-label", re.compile(rf"\b{count} (do not )?have COVID and are {words}")
        )
    described = page.locator("[data-figure=nomogram] svg").get_attribute("aria-label")
    assert f"After a positive result: {percent(ppv.value)}" in described
    low, high = decision.worthwhile(prevalence, line["sensitivity"], line["specificity"])
    expect(page.locator("[data-figure=decisions] figcaption")).to_contain_text(
        f"between {percent(low)} and {percent(high)}"
    )


def test_the_browser_computes_what_python_computes(page, app):
    study = predictors.default().study
    rows = study.predictions.query("model == 'mlp' and protocol == 'published' and role == 'test'")
    page.goto(f"{app}/clinicians?{QUERY}")
    threshold, prevalence = page.locator("#threshold"), page.locator("#prevalence")
    expect(page.locator("output[for=threshold]")).to_have_text("0.5", timeout=60_000)
    expect_numbers(page, rows, 0.5, 0.05)
    threshold.press("ArrowLeft")
    prevalence.press("Home")
    expect_numbers(page, rows, 0.49, 0.001)
    threshold.press("End")
    page.locator("#percent").fill("32.1")
    expect(prevalence).to_have_attribute("aria-valuetext", "32.1%")
    expect_numbers(page, rows, 1.0, 0.321)

    # Another test with a given sensitivity and specificity.
    page.get_by_label("Specificity of the rapid antigen test, in percent").fill("90")
    ratios = decision.likelihood_ratios(73e6, 27e6, 10e6, 90e6)
    ppv, npv = decision.predictive_values(0.321, ratios)
    cells = {
        "ppv": percent(ppv.value),
        "npv": percent(npv.value),
        "positive_ratio": "7.30",
        "negative_ratio": "0.300",
        "alarmed": str(decision.people(0.321, 0.73, 0.9).alarmed),
    }
    for row, words in cells.items():
        expect(page.locator(f"[data-row={row}] [data-test=test]")).to_have_text(words)
    for part in ("threshold=1", "prevalence=0.321", "test_specificity=90"):
        expect(page).to_have_url(re.compile(rf"[?&]{part}(\.0)?(&|$)"))


def test_a_link_opens_the_same_on_a_phone(page, app):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{app}/clinicians?{QUERY}&threshold=0.25&prevalence=0.2&symptoms_sensitivity=50")
    expect(page.locator("output[for=threshold]")).to_have_text("0.25", timeout=60_000)
    expect(page.locator("output[for=prevalence]")).to_have_text("20.0%")
    expect(page.get_by_label("Sensitivity of the symptom check, in percent")).to_have_value("50")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for drawn in page.locator("figure svg, .cards > div").all():
        box = drawn.bounding_box()
        assert box["x"] + box["width"] <= 390
