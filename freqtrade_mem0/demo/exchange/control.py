"""What tests impose on the exchange stand-in: prices, outages and partial fills, through HTTP.

Through HTTP, so that it works from another process, too.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

from freqtrade_mem0.demo.exchange.accounts import FILTER
from freqtrade_mem0.demo.exchange.api import BAD_REQUEST, NOT_FOUND, OK
from freqtrade_mem0.demo.exchange.endpoints.orders import order_row
from freqtrade_mem0.demo.exchange.markets import market_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.demo.exchange.api import ExchangeApi
    from freqtrade_mem0.demo.exchange.prices import PricePath

Outage = Literal["refuse", "hang"]
"""`refuse`: every answer is 503 at once. `hang`: every answer is 503 when the outage ends."""

CONTROL_PREFIX = "/control/"
_UNAVAILABLE = 503
_TIMEOUT_S = 10.0


class Control:
    """Imposes prices and outages on the stand-in at `url`, in this or another process."""

    def __init__(self, url: str) -> None:
        self._url = url

    def price(self, pair: str) -> float:
        """Return the current price of a pair."""
        return float(self._post("price", pair=pair)["price"])

    def shock(self, pair: str, factor: float) -> None:
        """Multiply the price of a pair by `factor` from now on."""
        self._post("shock", pair=pair, factor=factor)

    def move_to(self, pair: str, price: float) -> None:
        """Move the price of a pair to `price`; it then continues along its path from there."""
        self._post("move_to", pair=pair, price=price)

    def pin(self, pair: str) -> None:
        """Hold the price of a pair at its current value."""
        self._post("pin", pair=pair)

    def unpin(self, pair: str) -> None:
        """Let a held price return to its path."""
        self._post("unpin", pair=pair)

    def outage(self, mode: Outage, seconds: float) -> None:
        """Start an outage of some seconds; 0 ends one."""
        self._post("outage", mode=mode, seconds=seconds)

    def stats(self) -> dict[str, int]:
        """Return the number of requests by address, answered or not."""
        counts: dict[str, int] = self._post("stats")
        return counts

    def limit_fills(self, pair: str, share: float) -> None:
        """Fill only a share of each order of a pair from now on; 1 fills the rest, too."""
        self._post("limit_fills", pair=pair, share=share)

    def halt(self, pair: str) -> None:
        """Refuse every new order of a pair from now on."""
        self._post("halt", pair=pair)

    def resume(self, pair: str) -> None:
        """Accept orders of a pair again."""
        self._post("resume", pair=pair)

    def cancel(self, key: str, order_id: int) -> None:
        """Cancel an order by hand, as its owner can on the exchange's website."""
        self._post("cancel", key=key, orderId=str(order_id))

    def orders(self, key: str) -> list[dict[str, Any]]:
        """Return all orders of an account, as Binance shows them, oldest first."""
        orders: list[dict[str, Any]] = self._post("orders", key=key)
        return orders

    def refusals(self, key: str) -> list[str]:
        """Return why orders of an account were refused, with what was wanted."""
        refusals: list[str] = self._post("refusals", key=key)
        return refusals

    def _post(self, action: str, **arguments: Any) -> Any:
        request = Request(  # noqa: S310 - always http on loopback
            f"{self._url}{CONTROL_PREFIX}{action}", json.dumps(arguments).encode(), method="POST"
        )
        with urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 - as above
            return json.load(response)


class ControlledApi:
    """An API with outages, imposed prices and counts of requests; `clock` gives epoch seconds."""

    def __init__(self, api: ExchangeApi, clock: Callable[[], float]) -> None:
        self.closing = threading.Event()
        self._api = api
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._outage: tuple[Outage, float] = ("refuse", 0.0)
        self._halted: set[str] = set()

    def answer(
        self, target: str, method: str = "GET", body: str = "", key: str = ""
    ) -> tuple[int, Any]:
        """Answer a request, unless there is an outage."""
        address = urlsplit(target)
        with self._lock:
            self._counts[address.path] += 1
            mode, until_s = self._outage
        remaining_s = until_s - self._clock()
        if remaining_s > 0:
            if mode == "hang":
                # Not a sleep: closing the stand-in ends it.
                self.closing.wait(remaining_s)
            # Without Binance's error code; ccxt would take that for a refusal of the request.
            return _UNAVAILABLE, {"msg": "The exchange stand-in is out of order."}
        query = dict(parse_qsl(address.query)) | dict(parse_qsl(body))
        if method == "POST" and query.get("symbol") in self._halted:
            return BAD_REQUEST, {"code": FILTER, "msg": "Market is closed."}
        with self._lock:  # accounts take one request at a time
            return self._api.answer(address.path, query, self._clock(), method=method, key=key)

    def control(self, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Do what `Control` asks for."""
        action = target.removeprefix(CONTROL_PREFIX)
        if action == "stats":
            with self._lock:
                return OK, dict(self._counts)
        if action == "outage":
            with self._lock:
                self._outage = (body["mode"], self._clock() + float(body["seconds"]))
            return OK, {}
        if "key" in body:
            with self._lock:
                return OK, self._of_account(action, body)
        path = self._api.paths.get(market_of(body.get("pair", "?/?")).symbol)
        if path is None:
            return NOT_FOUND, {"msg": f"The exchange stand-in does not trade {body.get('pair')!r}."}
        return self._impose(action, path, body)

    def _of_account(self, action: str, body: dict[str, Any]) -> Any:
        accounts, now_s = self._api.accounts, self._clock()
        account = accounts.account(body["key"], now_s)
        if action == "cancel":
            return order_row(accounts.cancel(account, body, now_s))
        if action == "refusals":
            return account.refusals
        return [order_row(order) for order in account.orders]

    def _impose(self, action: str, path: PricePath, body: dict[str, Any]) -> tuple[int, Any]:
        now_s = self._clock()
        with self._lock:
            if action == "shock":
                path.shock(float(body["factor"]), now_s)
            elif action == "move_to":
                path.move_to(float(body["price"]), now_s)
            elif action == "pin":
                path.pin(now_s)
            elif action == "unpin":
                path.unpin(now_s)
            elif action == "halt":
                self._halted.add(path.market.symbol)
            elif action == "resume":
                self._halted.discard(path.market.symbol)
            elif action == "limit_fills":
                self._api.accounts.limit_fills(path.market.symbol, float(body["share"]), now_s)
            elif action != "price":
                return NOT_FOUND, {"msg": f"The exchange stand-in has no action {action!r}."}
        return OK, {"price": path.at(now_s)}
