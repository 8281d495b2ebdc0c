"""Two worlds that differ only in arms: a code break in both leaves the main side the same."""

import re

import pytest
from sqlalchemy import select, update

from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Base
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.mail import Post, Taken, compose, recipients, server
from ecrf.kernel.outbox import Outgoing
from ecrf.kernel.people import GrantRow, Person
from ecrf.web.vault.breaking import carrying
from forms.unblinded.tables import CodeBreak
from tests.blinding.worlds import CANARIES, NOW, STUDY
from visits.tables import Participant

ARM = re.compile("|".join(CANARIES).encode())


def code_of(one):
    with one.place.database.read() as session:
        return session.scalar(
            select(Participant.code)
            .where(Participant.random_number.is_not(None), Participant.unblinded_at.is_(None))
            .order_by(Participant.code)
            .limit(1)
        )


def investigator(one, code):
    with one.place.database.read() as session:
        return session.scalar(
            select(Person.username)
            .join(GrantRow, GrantRow.person_id == Person.id)
            .where(GrantRow.role == "site investigator", GrantRow.site == code.split("-")[0])
            .limit(1)
        )


def broken(one):
    """Break the code of the first participant; return the answer, and the blinded pages."""
    code = code_of(one)
    who = investigator(one, code)
    client, csrf = one.sign_in(one.vault_app(), who)
    answer = client.post(
        f"/vault/{STUDY}/code-break",
        data={
            "csrf": csrf, "step": "3", "code": code, "again": code, "why": "overdose",
            "reason": "Took sixty capsules", "understood": "1", "ref": "0" * 16,
            "password": one.password(who),
        },
    )  # fmt: skip
    assert answer.status_code == 200
    carrying.carry(one.place.database, one.vault, By(NOBODY, NOW, Origin.JOB, Seeded(b"w")))
    reader, _ = one.sign_in(one.app(), who)
    pages = [
        reader.get(path).data
        for path in (
            f"/{STUDY}/code-breaks", f"/{STUDY}/participants/{code}", f"/{STUDY}/participants",
            f"/{STUDY}/ledger",
        )
    ]  # fmt: skip
    return answer, pages


def everything(one):
    """Return every row of the main database, and every mail that would be sent."""
    with one.place.database.read() as session:
        rows = {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in Base.metadata.sorted_tables
        }
        waiting = session.scalars(select(Outgoing).order_by(Outgoing.id)).all()
        post = Post(server("smtp://mail.example"), "https://trial.example")
        mails = []
        for row in waiting:
            people = tuple(recipients(session, row.study, row.site, row.right, NOW))
            texts = {"en": row.text_en, "zh": row.text_zh}
            taken = Taken(row.id, row.study, texts, row.path, row.at, people)
            mails += [compose(post, taken, person).as_bytes() for person in people]
    return rows, mails


@pytest.mark.req("BL-03", "L17", "L14")
def test_a_code_break_leaves_the_main_side_the_same_in_both_worlds(pair):
    seen = []
    for one in pair:
        with one.place.database.write() as session:
            session.execute(update(Person).values(email=Person.username + "@trial.example"))
        answer, pages = broken(one)
        rows, mails = everything(one)
        assert rows[CodeBreak.__tablename__]
        assert mails
        seen.append((set(ARM.findall(answer.data)), pages, rows, mails))
    (first, pages, rows, mails), (second, *others) = seen
    assert first and second and first != second, "the worlds do not differ"
    assert [pages, rows, mails] == others
    assert not [page for page in [*pages, *mails] if ARM.search(page)]
