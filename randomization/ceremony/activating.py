"""Two different people sign; with the second signature the list serves."""

from ecrf.kernel.ledger import By
from randomization import lists
from randomization.ceremony import books
from randomization.ceremony.steps import NEEDED, Standing, Step
from randomization.opened import Vault


def activate(vault: Vault, by: By, study: str, number: int) -> Standing:
    """Sign the activation; the second signature opens every slot and finds the published root.

    Nothing of what was opened leaves: a list that has another root is refused.
    """
    with books.opened(vault, by, study, number, Step.ACTIVATE) as book:
        signed = len(book.standing.all(Step.ACTIVATE)) + 1
        content = {"root": book.standing.root, "signature": str(signed)}
        turn = f"activation by {by.actor.id}"
        acts = [books.enter(book, Step.ACTIVATE, content, turn=turn)]
        if signed >= NEEDED:
            row = lists.required(book.session, vault, study, number)
            lists.advance(book.session, vault, by, row, "active")
            acts.append(books.act(book.role, book.row, "active", {"root": row.root}))
        books.write(book, *acts)
        return books.stand(book.session, book.row)
