"""What routes are given."""

from typing import Annotated

from fastapi import Depends, Request

from medai.bootstrap import Application


def _application(request: Request) -> Application:
    found: Application = request.app.state.application
    return found


App = Annotated[Application, Depends(_application)]
"""The wired application behind this API."""
