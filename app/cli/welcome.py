"""What `tenet run` says to the person in front of it: a panel in a terminal, plain lines anywhere else."""

from dataclasses import dataclass

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Welcome:
    """Where everything is, and what to try first."""

    address: str
    token: str | None
    data_dir: str
    seconds: float

    def show(self, console: Console) -> None:
        """Print it once everything answers."""
        if console.is_terminal:
            table = Table.grid(padding=(0, 2))
            for name, value in self._rows():
                table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
            console.print(Panel(table, title="[bold]Tenet is ready[/bold]", subtitle="Ctrl-C stops it", expand=False))
        else:
            for name, value in self._rows():
                say(console, f"{name}: {value}")
        if self.token is not None:
            # Alone on its line, so that it can be copied whatever the width of the terminal.
            say(console, f"Token: {self.token}")

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("GraphiQL", f"http://{self.address}/graphql"),
            ("Subscriptions", f"ws://{self.address}/graphql"),
            ("Health", f"http://{self.address}/health/ready (after {self.seconds:.1f} s)"),
            ("Data", self.data_dir),
        ]
        if self.token is None:
            return rows
        return [
            *rows,
            ("Header", '{"Authorization": "Bearer <token>"}'),
            ("Try", "{ viewer { login memberships { role organization { name } } } }"),
            ("Also", "tenet token prints another token; tenet doctor looks at every part"),
        ]


def say(console: Console, line: str) -> None:
    """Print one line as it is."""
    console.print(line, soft_wrap=True, highlight=False, markup=False)
