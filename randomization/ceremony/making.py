"""From the signed specification to the published list: the steps of the statistician."""

from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from randomization import commit, design, lists, seal
from randomization.ceremony import books, checks, software
from randomization.ceremony.beacons import Plan, Source, tidy
from randomization.ceremony.steps import NEEDS, Standing, Step
from randomization.ceremony.tables import Ceremony, CeremonyStep
from randomization.commit import Committed
from randomization.design import Spec
from randomization.opened import Vault, lock
from randomization.publications import Publication
from randomization.tables import ListRow


def specify(vault: Vault, by: By, given: Spec) -> Standing:
    """Sign the specification of a list that is not there yet, and seal it."""
    role = books.permitted(by, NEEDS[Step.SPECIFY], given.study)
    lists.require_environment(vault, given)
    named = replace(given, software=software.named())
    spec = named.salted(by.draw(seal.SALT_BYTES))
    with vault.database.write() as session:
        head = lock(session, spec.study)
        _require_new(session, vault, spec)
        row = _row(vault, by, spec)
        session.add(row)
        session.flush()
        book = books.Book(session, vault, by, row, books.stand(session, row), role, head)
        content = {"spec_hash": row.spec_hash, "software": spec.software}
        books.write(book, books.enter(book, Step.SPECIFY, content))
        return books.stand(session, row)


def seal_seed(vault: Vault, by: By, study: str, number: int, plan: Plan) -> Standing:
    """Draw 32 bytes, seal them, and say which beacon will be mixed in."""
    with books.opened(vault, by, study, number, Step.SEAL) as book:
        seed, nonce = by.draw(design.SEED_BYTES), by.draw(seal.NONCE_BYTES)
        context = lists.list_context("seed", study, book.row.environment, number)
        sealed = seal.seal(books.key_of(vault, book.row), context, seed, nonce)
        chosen = plan.content(by.at)
        content = {"seed_commitment": commit.seed_commitment(seed)}
        act = books.enter(book, Step.SEAL, content, sealed=sealed, nonce=nonce)
        books.write(book, act, books.enter(book, Step.PLAN, chosen, turn="beacon plan 1"))
        return books.stand(book.session, book.row)


def plan_again(vault: Vault, by: By, study: str, number: int, plan: Plan) -> Standing:
    """Choose another beacon, as long as none was made known."""
    with books.opened(vault, by, study, number, Step.PLAN) as book:
        turn = f"beacon plan {len(book.standing.all(Step.PLAN)) + 1}"
        books.write(book, books.enter(book, Step.PLAN, plan.content(by.at), turn=turn))
        return books.stand(book.session, book.row)


def announce(vault: Vault, by: By, study: str, number: int, filed: str) -> Standing:
    """Record where the first publication was filed, before the beacon can be known."""
    with books.opened(vault, by, study, number, Step.ANNOUNCE) as book:
        content = {"filed": books.said("filed", filed)}
        books.write(book, books.enter(book, Step.ANNOUNCE, content))
        return books.stand(book.session, book.row)


def beacon(vault: Vault, by: By, study: str, number: int, value: str) -> Standing:
    """Record the value of the beacon announced; it cannot be changed afterwards."""
    with books.opened(vault, by, study, number, Step.BEACON) as book:
        stands = book.standing
        source = Source(stands.fact(Step.PLAN, "source"))
        content = {
            "beacon": f"{source.value}: {stands.fact(Step.PLAN, 'words')}",
            "value": tidy(source, value),
        }
        books.write(book, books.enter(book, Step.BEACON, content))
        return books.stand(book.session, book.row)


def generate(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Make the list from seed and beacon, check it, seal it; the list is a draft.

    It is made before the lock is taken: what it is made from cannot change any more.
    """
    books.permitted(by, NEEDS[Step.GENERATE], study)
    made = _drawn(vault, study, number)
    with books.opened(vault, by, study, number, Step.GENERATE) as book:
        step = _sealed(book.session, book.row)
        if made is None or step.sealed is None or step.nonce is None:
            raise Conflict(T("The seed of this list is missing."))
        spec, drawn = made
        commitment = book.standing.fact(Step.SEAL, "seed_commitment")
        row = list_row(book, drawn.root, commitment, step.sealed, step.nonce)
        lists.keep(book.session, by, row, books.key_of(vault, book.row), spec, drawn)
        content = {"root": row.root, "slots": str(spec.asked), "checked": "yes"}
        books.write(book, books.enter(book, Step.GENERATE, content))
        return lists.publication(book.session, vault, row)


def publish(vault: Vault, by: By, study: str, number: int, filed: str) -> Publication:
    """Record where the second publication was filed: root, hashes, beacon."""
    with books.opened(vault, by, study, number, Step.PUBLISH) as book:
        row = lists.required(book.session, vault, study, number)
        content = {"filed": books.said("filed", filed), "root": row.root}
        found = lists.advance(book.session, vault, by, row, "published")
        books.write(book, books.enter(book, Step.PUBLISH, content))
        return found


def abandon(vault: Vault, by: By, study: str, number: int, reason: str) -> Standing:
    """End a ceremony for good; its list, if there is one, never serves."""
    with books.opened(vault, by, study, number, Step.ABANDON) as book:
        content = {"reason": books.said("reason", reason)}
        row = lists.find(book.session, vault, study, number)
        if row is not None:
            book.session.execute(
                update(ListRow).where(ListRow.id == row.id).values(state="closed")
            )
        books.write(book, books.enter(book, Step.ABANDON, content))
        return books.stand(book.session, book.row)


def list_row(
    book: books.Book, root: str, commitment: str, seed: bytes, nonce: bytes
) -> ListRow:
    """Return the row of the list that a ceremony made: its key and specification are taken."""
    row = book.row
    return ListRow(
        study=row.study, environment=row.environment, version=row.version, state="draft",
        key=row.key, spec=row.spec, spec_nonce=row.spec_nonce, seed=seed, seed_nonce=nonce,
        root=root, seed_commitment=commitment, spec_hash=row.spec_hash,
        software=row.software, generated_at=book.by.at,
    )  # fmt: skip


def _drawn(vault: Vault, study: str, number: int) -> tuple[Spec, Committed] | None:
    """Return the list that seed and beacon give, checked; None while one is missing."""
    with vault.database.read() as session:
        row = books.required(session, vault, study, number)
        stands = books.stand(session, row)
        value = stands.fact(Step.BEACON, "value")
        if not value or stands.all(Step.GENERATE):
            return None
        spec, seed = books.spec_of(vault, row), _seed(vault, session, row)
    leaves = design.leaves(spec, design.mixed(seed, value))
    checks.require(spec, leaves)
    return spec, commit.committed(leaves)


def _seed(vault: Vault, session: Session, row: Ceremony) -> bytes:
    step = _sealed(session, row)
    context = lists.list_context("seed", row.study, row.environment, row.version)
    return seal.unseal(books.key_of(vault, row), context, step.sealed or b"", step.nonce or b"")


def _sealed(session: Session, row: Ceremony) -> CeremonyStep:
    return session.scalars(
        select(CeremonyStep).where(
            CeremonyStep.ceremony_id == row.id, CeremonyStep.step == Step.SEAL.value
        )
    ).one()


def _require_new(session: Session, vault: Vault, spec: Spec) -> None:
    begun = session.scalar(
        select(Ceremony.id).where(
            Ceremony.study == spec.study, Ceremony.environment == spec.environment,
            Ceremony.version == spec.version,
        )
    )  # fmt: skip
    if begun is not None or lists.find(session, vault, spec.study, spec.version) is not None:
        raise Conflict(T("List {n} of this study is there already.", n=spec.version))


def _row(vault: Vault, by: By, spec: Spec) -> Ceremony:
    parts = (spec.study, spec.environment, spec.version)
    key, wrapped, nonce = (by.draw(n) for n in (seal.KEY_BYTES, *[seal.NONCE_BYTES] * 2))
    context, text = lists.list_context("list key", *parts), spec.canonical()
    return Ceremony(
        study=spec.study, environment=spec.environment, version=spec.version,
        imported=spec.imported, key=seal.wrap(vault.keys.wrapping, context, key, wrapped),
        spec=seal.seal(key, lists.list_context("spec", *parts), text.encode(), nonce),
        spec_nonce=nonce, spec_hash=commit.spec_hash(text), software=spec.software,
    )  # fmt: skip
