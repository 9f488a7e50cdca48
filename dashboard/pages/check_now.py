"""`Check it now` on the page of a server: one look of this moment, judged, with what to mend first.

Apart from the page, which shows what a census saw: the two must never be taken for each other.
"""

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from analytics import wording as numbers
from crawler.engine.check import Checked
from crawler.model.verdict import Finding, Outcome
from dashboard import wording
from dashboard.aria import aria
from dashboard.desk import Desk, Refusal
from dashboard.pages.facts import mark

_BUTTON, _NAME, _RESULT = "check-now", "check-now-name", "check-now-result"

_OUTCOMES = {
    Outcome.FAIL: wording.State("fail", "✕", wording.BAD),
    Outcome.WARN: wording.State("warning", "!", wording.WARN),
}


def panel(server_name: str) -> Component:
    """The button, and the place of what it brings."""
    return html.Section(
        [
            html.H2("How is it now?"),
            dcc.Store(id=_NAME, data=server_name),
            html.P(
                [
                    html.Button("Check it now", id=_BUTTON, className="button"),
                    html.Span(" as another server would see it; takes some seconds, or a minute.", className="quiet"),
                ]
            ),
            html.Div(id=_RESULT, role="status", **aria(live="polite")),
        ]
    )


def register(app: Dash, desk: Desk) -> None:
    """The callback of the button."""

    @app.callback(
        Output(_RESULT, "children"),
        Input(_BUTTON, "n_clicks"),
        State(_NAME, "data"),
        running=[
            (Output(_BUTTON, "disabled"), True, False),
            (Output(_BUTTON, "children"), "Checking…", "Check it now"),
        ],
        prevent_initial_call=True,
    )
    async def check(clicks: int | None, server_name: object) -> Component | None:
        if not clicks:
            return None
        admitted = await desk.admit(str(server_name), app.backend.request_adapter().remote_addr or "")
        if isinstance(admitted, Refusal):
            return refused(admitted, "No check was made")
        return result(await desk.check(admitted))


def refused(refusal: Refusal, what: str) -> Component:
    """Why a visitor gets nothing, and when to come again."""
    again = f"; try again in {refusal.retry_after_s} s" if refusal.retry_after_s is not None else ""
    return html.P(wording.one_line(f"{what}: {refusal.sentence}{again}.", 600))


def result(checked: Checked) -> Component:
    """The verdict, whether it is counted and why, and each check that fails or warns with what to do."""
    seen = checked.inspection.observation
    verdict = wording.State("federates", "✓", wording.GOOD)
    if not checked.federates:
        verdict = wording.State("does not federate", "✕", wording.BAD)
    wrong = [found for outcome in _OUTCOMES for found in checked.findings if found.outcome is outcome]
    passed = sum(found.outcome is Outcome.PASS for found in checked.findings)
    return html.Div(
        [
            html.Div(
                [mark(verdict), html.Span(wording.one_line(checked.counted.sentence, 600))],
                className=f"verdict tone-{verdict.tone}",
            ),
            html.P(
                f"Looked at on {numbers.moment(seen.observed_at)}, in {numbers.duration(seen.duration_s)}. "
                f"{numbers.plural(passed, 'check')} passed; what is wrong, the worst first:"
                if wrong
                else f"Looked at on {numbers.moment(seen.observed_at)}; {numbers.plural(passed, 'check')} passed, and "
                "nothing is wrong.",
                className="quiet",
            ),
            html.Ul([_finding(found) for found in wrong], className="findings"),
        ]
    )


def _finding(found: Finding) -> Component:
    return html.Li(
        [
            html.Div([mark(_OUTCOMES[found.outcome]), " ", html.Strong(found.title)]),
            html.Div(html.Bdi(wording.one_line(found.remedy, 900))),
            html.Div([found.source, " · ", html.Code(found.id)], className="quiet"),
        ]
    )
