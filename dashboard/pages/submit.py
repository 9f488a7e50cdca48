"""`Submit a server`: a name that nothing told the census is left to the next crawl; on About, and where a name that was
looked for is not known. The API takes the same (`/api/v1/submit`), from the same ration.
"""

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.aria import aria
from dashboard.desk import Desk, Refusal, Taken
from dashboard.pages.check_now import refused
from dashboard.pages.servers import server_path

_BUTTON, _NAME, _RESULT = "submit-server", "submit-server-name", "submit-server-result"


def panel(server_name: str = "") -> Component:
    """A field, a button, and the place of the answer.

    Args:
        server_name: What stands in the field already.
    """
    return html.Section(
        [
            html.H2("Submit a server", id="submit"),
            html.P(
                "Is a server missing? Leave its name, and the next census looks at it. Nothing but the name is kept."
            ),
            html.Div(
                [
                    dmc.TextInput(id=_NAME, label="Server name", placeholder="example.org", value=server_name),
                    html.Button("Submit", id=_BUTTON, className="button"),
                ],
                className="filters",
            ),
            html.Div(id=_RESULT, role="status", **aria(live="polite")),
        ]
    )


def register(app: Dash, desk: Desk) -> None:
    """The callback of button and field."""

    @app.callback(
        Output(_RESULT, "children"),
        Input(_BUTTON, "n_clicks"),
        Input(_NAME, "n_submit"),
        State(_NAME, "value"),
        running=[(Output(_BUTTON, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def submit(clicks: int | None, enters: int | None, server_name: object) -> Component | None:
        if not clicks and not enters:
            return None
        visitor = app.backend.request_adapter().remote_addr or ""
        return told(await desk.submit(str(server_name or "").strip(), visitor))


def told(answer: Taken | Refusal) -> Component:
    """What became of a name."""
    if isinstance(answer, Refusal):
        return refused(answer, "Nothing was taken in")
    name = html.Code(str(answer.name))
    if answer.known:
        seen = dcc.Link("what the census saw of it", href=server_path(str(answer.name)))
        return html.P([name, " is known already: ", seen, "."])
    return html.P([name, " was left for the next census."])
