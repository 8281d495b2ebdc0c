"""The command line. Each module holds the commands of one noun; this page lists them all."""

import click


@click.group()
@click.version_option(package_name="ecrf")
def main() -> None:
    """Run a blinded clinical trial: forms, visits, randomization, supply, locked datasets."""
