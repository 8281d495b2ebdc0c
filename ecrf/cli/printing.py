"""`ecrf print`: blank and annotated paper forms of a study, without any database."""

from pathlib import Path

import click

from ecrf.cli.installation import configured, refusals_shown
from ecrf.kernel.config import Environment
from ecrf.study import shipped
from ecrf.study.canonical import fingerprint
from reports.blank import book
from reports.blank.wording import LANGUAGES, Language


@click.command("print")
@click.argument("study")
@click.option("--form", default="", help="One form; without it, all of them.")
@click.option("--visit", default="", help="The forms of one visit.")
@click.option("--annotated", is_flag=True, help="With item ids, codes, targets and checks.")
@click.option("--fillable", is_flag=True, help="With fields to be filled in on a screen.")
@click.option("--locale", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File or folder to write to.")
def print_command(
    study: str, form: str, visit: str, locale: Language, out: Path | None, *,
    annotated: bool, fillable: bool,
) -> None:  # fmt: skip
    """Print the paper forms of STUDY as shipped: one form, a visit, or the whole book."""
    with refusals_shown():
        config = configured()
        read = shipped.load(study, config)
        asked = book.Asked(form, visit, annotated, locale, fillable and not annotated)
        training = config.environment is Environment.TRAINING
        content = book.draw(read, fingerprint(read), asked, training=training)
    path = out or Path()
    if path.suffix != ".pdf":
        path.mkdir(parents=True, exist_ok=True)
        path = path / f"{study}-{asked.name}.pdf"
    path.write_bytes(content)
    click.echo(path)
