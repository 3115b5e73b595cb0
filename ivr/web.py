"""The only HTTP listener, on loopback: `/healthz` for supervisors, `/metrics` for Prometheus, and the webhooks."""

import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accounts.db import Database, DatabaseError
from ivr.live import LiveCalls


class Status:
    """What the listener shows, read at each request."""

    def __init__(self, database: Database, live: LiveCalls, asterisk_connected: Callable[[], bool]) -> None:
        self.database = database
        self.live = live
        self.asterisk_connected = asterisk_connected


class _Measures(Collector):
    """The figures of this controller since its start."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """The current figures."""
        status = self._status
        yield GaugeMetricFamily(
            "ivr_calls_in_progress", "Calls between verdict and settlement", len(status.live)
        )
        yield GaugeMetricFamily(
            "ivr_asterisk_connected", "Whether events of Asterisk arrive", int(status.asterisk_connected())
        )
        counts = status.database.counts()
        yield CounterMetricFamily("ivr_database_statements", "Statements run", counts.statements)
        yield CounterMetricFamily("ivr_database_commits", "Commits made", counts.commits)
        ended = CounterMetricFamily(
            "ivr_calls_ended", "Calls sealed by this process, by reason", labels=["reason"]
        )
        for reason, count in status.live.ended.items():
            ended.add_metric([reason], count)
        yield ended


def application(status: Status, webhooks: Sequence[Route] = ()) -> Starlette:
    """The two pages, and those that others call from outside through a proxy."""

    async def healthz(_request: Request) -> Response:
        try:
            await status.database.read(lambda conn: conn.execute(select(1)))
            database = True
        except DatabaseError:
            database = False
        healthy = {"database": database, "asterisk": status.asterisk_connected()}
        return JSONResponse(healthy, status_code=200 if all(healthy.values()) else 503)

    async def metrics(_request: Request) -> Response:
        registry = CollectorRegistry()
        registry.register(_Measures(status))
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics), *webhooks])


@asynccontextmanager
async def listening(
    status: Status, host: str, port: int, webhooks: Sequence[Route] = ()
) -> AsyncIterator[None]:
    """Serve while the block runs; raises OSError if the port is taken."""
    sock = socket.create_server((host, port))
    config = uvicorn.Config(application(status, webhooks), log_config=None, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    try:
        yield
    finally:
        await server.shutdown(sockets=[sock])
