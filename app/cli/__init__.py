"""The command line: `tenet run` and its parts.

Commands import what they need when they run: `tenet --help` must not load a database driver, nor `tenet worker` the
GraphQL schema.
"""

import asyncio
import sys
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from app import __version__
from app.domain.errors import Fault

USAGE = 2
INTERRUPTED = 130

T = TypeVar("T")

cli = typer.Typer(
    name="tenet",
    help="Extract the coding conventions of a repository with exact evidence, validate them, and enforce them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Branch = Annotated[str | None, typer.Option(help="The branch to read, instead of the default one.")]
DataDirectory = Annotated[Path | None, typer.Option(help="Where data is kept, instead of TENET_DATA_DIR.")]


class _Talk:
    """How much an error says."""

    debug = False


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@cli.callback()
def begin(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debugging logs.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback has answered by now
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    _Talk.debug = debug


@cli.command()
def run(
    port: Port = None,
    data_dir: DataDirectory = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write addresses, a token and process ids here once everything answers.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Worker processes to start.")] = 1,
    repo: Annotated[
        str | None, typer.Option(help="Read this repository first: a path, or an address git can clone.")
    ] = None,
    branch: Branch = None,
) -> None:
    """Run everything: PostgreSQL, Redis, migrations, API and worker; Ctrl-C stops it all."""
    from app.cli.run import Wishes, run_all

    wishes = Wishes(
        port=port,
        data_dir=data_dir,
        ready_file=ready_file,
        workers=workers,
        repo=repo,
        branch=branch,
        debug=_Talk.debug,
    )
    _complete(run_all(wishes))


@cli.command()
def ingest(
    place: Annotated[str, typer.Argument(metavar="REPO", help="A path, or an address that git can clone.")],
    branch: Branch = None,
    name: Annotated[str | None, typer.Option(help="What to call it, when it is connected now.")] = None,
    organization: Annotated[str | None, typer.Option(help="Slug of the organization that reads it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Read it even if nothing changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every pattern as JSON.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Tell what became of the conventions with these words, and why.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="The service to speak to, instead of TENET_URL.")] = None,
    data_dir: DataDirectory = None,
) -> None:
    """Read a repository and tell what was found; progress goes to standard error, results to standard output."""
    from app.cli.ingest import Wishes
    from app.cli.ingest import ingest as carry_out

    wishes = Wishes(place, branch, name, organization, force, as_json, url, data_dir, _Talk.debug, explain)
    raise typer.Exit(_complete(carry_out(wishes)))


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Port = None,
    fd: Annotated[int | None, typer.Option(help="A listening socket that was handed down.", hidden=True)] = None,
) -> None:
    """Run the API alone."""
    from app.cli.parts import serve_api

    _complete(serve_api(host=host, port=port, fd=fd, debug=_Talk.debug), fast=True)


@cli.command()
def worker() -> None:
    """Run a worker alone."""
    from app.cli.parts import run_worker

    _complete(run_worker(debug=_Talk.debug), fast=True)


@cli.command()
def migrate(data_dir: DataDirectory = None) -> None:
    """Bring the database to the schema of this version."""
    from app.cli.parts import migrate_database

    before, after = _complete(migrate_database(data_dir))
    typer.echo(
        f"The database is at {after} already." if before == after else f"Migrated: {before or 'empty'} -> {after}."
    )


@cli.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Compare with the printed schema instead.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from app.cli.printed import check_schema, print_schema

    typer.echo(check_schema() if check else print_schema())


@cli.command()
def documents(
    places: Annotated[list[Path], typer.Argument(help="Files of GraphQL, directories of such, or manifests (JSON).")],
) -> None:
    """Print the list of trusted documents, for TENET_DOCUMENTS."""
    from app.cli.documents import list_documents

    typer.echo(list_documents(places))


@cli.command()
def token(
    email: Annotated[str | None, typer.Option(help="Whose token; without it the developer's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is valid.")] = 30,
    production: Annotated[bool, typer.Option("--production", help="Make one in production, too.")] = False,
    data_dir: DataDirectory = None,
) -> None:
    """Print an access token."""
    from app.cli.people import make_token

    typer.echo(_complete(make_token(email=email, days=days, production=production, data_dir=data_dir)))


@cli.command()
def superadmin(
    email: Annotated[str, typer.Argument(help="Whose account.")],
    dismiss: Annotated[bool, typer.Option("--dismiss", help="Take it away instead.")] = False,
    data_dir: DataDirectory = None,
) -> None:
    """Make somebody a superadmin of this installation."""
    from app.cli.people import appoint_superadmin

    typer.echo(_complete(appoint_superadmin(email=email, dismiss=dismiss, data_dir=data_dir)))


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDirectory = None,
) -> None:
    """Look at every part: how it is configured, whether it answers, and what would mend it."""
    from app.cli.doctor import examine, show

    findings = _complete(examine(data_dir))
    show(findings, as_json=as_json)
    raise typer.Exit(1 if any(finding.broken for finding in findings) else 0)


def main() -> NoReturn:
    """Run the command that the process was started with; an error is a sentence, unless --debug asks for more."""
    from app.config import SettingsError

    try:
        cli(prog_name="tenet")
    except Fault as fault:
        _give_up(fault.message, fault.remedy, exit_code=fault.exit_code)
    except SettingsError as error:
        _give_up(*error.faults, exit_code=USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        _give_up(
            f"Something unforeseen went wrong ({type(error).__name__}: {error}).",
            "Run the command again as: tenet --debug ...",
            exit_code=1,
        )
    sys.exit(0)


def _complete(work: Coroutine[None, None, T], *, fast: bool = False) -> T:
    """Run the work of a command; `fast` is for those that stay and serve."""
    loop_factory = _fast_loop if fast else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


def _fast_loop() -> asyncio.AbstractEventLoop:
    from uvloop import new_event_loop

    return new_event_loop()


def _give_up(*lines: str, exit_code: int) -> NoReturn:
    if _Talk.debug:
        traceback.print_exc()
    for line in lines:
        typer.echo(line, err=True)
    sys.exit(exit_code)
