"""The short way to a page of the card processor, as an SMS tells it: it leads on while the page waits for its payer."""

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from accounts import payments
from accounts.db import Database
from accounts.payment_tables import PaymentState

FOLDER: Final = "/pay"
_UNKEPT: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def way_to(public_url: str, code: str) -> str:
    """The address that is told."""
    return f"{public_url}{FOLDER}/{code}"


def routes(database: Database) -> list[Route]:
    """What a payer opens."""

    async def lead_on(request: Request) -> Response:
        page = await database.read(payments.page_behind, request.path_params["code"])
        if page is None:
            return PlainTextResponse("There is no such page. Esta página no existe.", 404, _UNKEPT)
        if page.state != PaymentState.PENDING:
            told = "Nothing is to be paid here any more. Aquí ya no hay nada que pagar."
            return PlainTextResponse(told, 410, _UNKEPT)
        return RedirectResponse(page.url, 303, _UNKEPT)

    return [Route(f"{FOLDER}/{{code}}", lead_on, methods=["GET"])]
