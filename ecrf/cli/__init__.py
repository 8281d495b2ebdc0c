"""The command line. Each module holds the commands of one noun; this page lists them all."""

import click

from ecrf.cli import (
    demo,
    export,
    form,
    laboratory,
    ledger,
    lock,
    offline,
    printing,
    randomization,
    roles,
    serve,
    study,
    user,
    worker,
)
from ecrf.cli.ceremony import ceremony
from ecrf.cli.consorting import consort
from ecrf.cli.escrow import escrow, recover
from ecrf.cli.prove import prove
from ecrf.cli.receipt import receipt
from ecrf.cli.resupply import resupply
from ecrf.cli.simulate_scheme import simulate as simulate_scheme
from ecrf.cli.sweeping import sweep
from ecrf.cli.unblinding import reveal, sign
from ecrf.cli.unblinding import verify as verify_bundle


@click.group()
@click.version_option(package_name="ecrf")
def main() -> None:
    """Run a blinded clinical trial: forms, visits, randomization, supply, locked datasets."""


main.add_command(demo.demo)
main.add_command(serve.init)
main.add_command(serve.serve)
main.add_command(worker.worker)
main.add_command(roles.roles)
main.add_command(user.user)
main.add_command(study.study)
main.add_command(form.form)
main.add_command(laboratory.laboratory)
main.add_command(lock.lock)
main.add_command(export.export)
main.add_command(export.verify_command)
main.add_command(printing.print_command)
main.add_command(ledger.ledger)
main.add_command(prove)
main.add_command(randomization.randomization)
randomization.randomization.add_command(ceremony)
randomization.randomization.add_command(simulate_scheme)
randomization.randomization.add_command(resupply)
randomization.randomization.add_command(escrow)
randomization.randomization.add_command(recover)
randomization.randomization.add_command(consort)
randomization.randomization.add_command(offline.pack)
randomization.randomization.add_command(offline.combine)
randomization.randomization.add_command(offline.card)
randomization.randomization.add_command(offline.cards)
randomization.randomization.add_command(sign)
randomization.randomization.add_command(reveal)
randomization.randomization.add_command(verify_bundle)
randomization.randomization.add_command(receipt)
randomization.randomization.add_command(sweep)
