"""`ecrf roles`: the SQL that separates the two processes on PostgreSQL."""

import click

from ecrf.migrations.roles import Names, Part, sql

USUAL = Names()
PARTS = click.Choice(["cluster", "main", "vault"])


@click.command()
@click.argument("part", type=PARTS)
@click.option("--main-database", "main", default=USUAL.main, show_default=True)
@click.option("--vault-database", "vaults", default=USUAL.vaults, show_default=True)
@click.option("--owner", default=USUAL.owner, show_default=True, help="Owns and migrates.")
@click.option("--blinded", default=USUAL.blinded, show_default=True, help="The blinded app's.")
@click.option("--vault", default=USUAL.vault, show_default=True, help="The vault app's.")
def roles(part: Part, **names: str) -> None:
    """Print SQL that gives each process a PostgreSQL role of its own; pipe it to psql.

    PART is cluster (roles, who may connect; as superuser), then main and vault (rights inside
    each database; as its owner, again after every migration). Nothing is changed by printing.
    """
    try:
        click.echo(sql(part, Names(**names)), nl=False)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
