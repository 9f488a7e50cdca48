"""A server that nothing named yet: left for the next crawl, by whoever knows it. Guarded and rationed at the desk."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from dashboard.api.check import visitor
from dashboard.api.documentation import EXAMPLES, problems
from dashboard.api.problem import refused
from dashboard.desk import Desk, Refusal

_LONGEST = 300


class Submission(BaseModel):
    """Who is to be crawled."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"server_name": EXAMPLES.server}]})

    server_name: str = Field(max_length=_LONGEST, description="A server name, as in `example.org` or `host:port`.")


class Submitted(BaseModel):
    """What became of it. Nothing but the name is kept, and not who gave it."""

    server_name: str = Field(description="The name as it was understood.")
    status: str = Field(
        description="waiting: the next crawl looks at it. known: the census shown has heard of it already, so crawls "
        "look at it without being told.",
        json_schema_extra={"enum": ["waiting", "known"]},
    )


def router(desk: Desk) -> APIRouter:
    """The route."""
    routes = APIRouter(responses=problems(400, 403, 422, 429, 500, 503))

    @routes.post("/api/v1/submit", status_code=202, tags=["servers"])
    async def submit(request: Request, submission: Submission) -> Submitted:
        """Have a server looked at by the next crawl: for one that nothing in the federation names.

        Names that opted out or were forgotten are not looked at, whoever submits them.
        """
        taken = await desk.submit(submission.server_name, visitor(request))
        if isinstance(taken, Refusal):
            raise refused(taken)
        return Submitted(server_name=taken.name.raw, status="known" if taken.known else "waiting")

    return routes
