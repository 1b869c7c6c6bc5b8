"""The application: which address is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dieindex.text import for_screen
from dieindex.version import VERSION
from dieindex.workbench import answers, pictures, start_answers
from dieindex.workbench.asked import answered
from dieindex.workbench.bench import Bench
from dieindex.workbench.guard import Guard, int_of

PAGES = {
    "/": "start",
    "/desk": "desk",
    "/dies": "dies",
    "/die": "die",
    "/coin": "coin",
    "/faces": "faces",
    "/find": "find",
    "/study": "study",
    "/log": "log",
}
"""The template of every page; each has a script of the same name."""
TITLES = {
    "start": "Collection",
    "desk": "Desk",
    "dies": "Dies",
    "die": "Die",
    "coin": "Coin",
    "faces": "Faces",
    "find": "Find",
    "study": "Study",
    "log": "Log",
}
_ASKED = {
    "state": answers.state,
    "queue": answers.queue,
    "pair": answers.pair,
    "opinion": answers.opinion,
    "dies": answers.dies,
    "die": answers.die,
    "coin": answers.coin,
    "log": answers.log,
    "folders": start_answers.folders,
    "known": start_answers.known,
    "faces": start_answers.faces,
    "study": start_answers.study,
}
_DONE = {
    "find": answers.find,
    "verdict": answers.verdict,
    "undo": answers.undo,
    "redo": answers.redo,
    "merge": answers.merge,
    "move": answers.move,
    "hold": answers.hold,
    "name": answers.name,
    "recognise": start_answers.recognise,
    "build": start_answers.build,
    "stop": start_answers.stop,
    "open": start_answers.open_index,
    "correct": start_answers.correct,
    "export": start_answers.export,
}
_PICTURES = {
    "/picture/small/{face}": pictures.small,
    "/picture/large/{face}": pictures.large,
    "/picture/around/{face}": pictures.around,
    "/picture/moved/{face}/{fixed}": pictures.moved,
    "/picture/photograph/{face}": pictures.photograph,
    "/picture/mean": pictures.mean,
}
_FILES = {
    "/log/verdicts.csv": answers.log_table,
    "/study/report": start_answers.report,
    "/study/pictures/{name}": start_answers.report_picture,
}


def create_app(bench: Bench, *, hosts: Iterable[str], secret: str) -> Starlette:
    """The workbench over a ``bench``; ``hosts`` and ``secret``: see ``guard``."""
    assets = Path(str(files("dieindex.workbench") / "assets"))
    identity = Path(str(files("dieindex.study") / "assets"))
    templates = Environment(
        loader=FileSystemLoader(str(files("dieindex.workbench") / "templates")),
        autoescape=select_autoescape(default=True, default_for_string=True),
    )
    routes: list[Route | Mount] = [
        Route(address, _page(templates, name), methods=["GET"]) for address, name in PAGES.items()
    ]
    routes += [
        Route(f"/api/{name}", answered(work), methods=["GET"]) for name, work in _ASKED.items()
    ]
    routes += [
        Route(f"/api/{name}", answered(work), methods=["POST"]) for name, work in _DONE.items()
    ]
    routes += [
        Route(address, answered(work), methods=["GET"])
        for address, work in (_PICTURES | _FILES).items()
    ]
    routes += [
        Route("/events", _events, methods=["GET"]),
        Mount("/identity", StaticFiles(directory=identity)),
        Mount("/assets", StaticFiles(directory=assets)),
    ]
    guard = Middleware(Guard, hosts=list(hosts), secret=secret)
    app = Starlette(routes=routes, middleware=[guard])
    app.state.bench = bench
    return app


def _page(templates: Environment, name: str) -> Callable[[Request], Awaitable[Response]]:
    template = templates.get_template(f"{name}.html")

    async def page(request: Request) -> Response:
        bench: Bench = request.app.state.bench
        if name != "start" and not bench.is_open:
            return RedirectResponse("/", status_code=303)
        html = template.render(
            page=name, title=TITLES[name], version=VERSION, open=bench.is_open,
            index=for_screen(bench.session.index.folder.name) if bench.is_open else None,
        )  # fmt: skip
        return HTMLResponse(html)

    return page


async def _events(request: Request) -> Response:
    bench: Bench = request.app.state.bench
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    after = int_of(given) if given else None
    return StreamingResponse(
        bench.events.stream(after),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
