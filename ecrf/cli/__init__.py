"""The command line. Each module holds the commands of one noun; this page lists them all."""

import click

from ecrf.cli.lazy import LazyGroup

PLACES = {
    "demo": "demo:demo",
    "export": "export:export",
    "form": "form:form",
    "init": "serve:init",
    "laboratory": "laboratory:laboratory",
    "ledger": "ledger:ledger",
    "lock": "lock:lock",
    "print": "printing:print_command",
    "prove": "prove:prove",
    "randomization": "randomization:randomization",
    "roles": "roles:roles",
    "serve": "serve:serve",
    "study": "study:study",
    "user": "user:user",
    "verify": "export:verify_command",
    "worker": "worker:worker",
}


@click.group(cls=LazyGroup, places=PLACES)
@click.version_option(package_name="ecrf")
def main() -> None:
    """Run a blinded clinical trial: forms, visits, randomization, supply, locked datasets."""
