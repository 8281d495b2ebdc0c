"""The people of the tests. Everyone has the same password; Dora and Dirk approve the study."""

from datetime import UTC, datetime

from argon2 import PasswordHasher
from sqlalchemy import insert

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.people import GrantRow, Person

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Beijing, the constant time of the tests."""

START = datetime(2026, 1, 1, tzinfo=UTC)
STUDY = "nct05974683"
PASSWORD = "a long enough phrase of words"


def _person(number, name, role, site=None):
    return Actor(number, name, frozenset({Grant(STUDY, role, site)}))


ANNA = _person(1, "Anna Li", Role.INVESTIGATOR, "PUMCH")
CARL = _person(2, "Carl Wu", Role.COORDINATOR, "PUMCH")
PAUL = _person(3, "Paul Sun", Role.PHARMACIST, "PUMCH")
DORA = _person(4, "Dora Chen", Role.DATA_MANAGER)
MONA = _person(5, "Mona Zhou", Role.MONITOR)
ADAM = _person(6, "Adam Qian", Role.ADJUDICATOR)
AUDREY = _person(7, "Audrey Feng", Role.AUDITOR)
ALMA = _person(8, "Alma He", Role.ADMINISTRATOR)
BO = _person(9, "Bo Zhang", Role.INVESTIGATOR, "BFH")
DIRK = _person(10, "Dirk Yang", Role.DATA_MANAGER)
PETRA = _person(11, "Petra Gao", Role.PHARMACIST, "BFH")
EVE = _person(12, "Eve Tang", Role.ADJUDICATOR)
CORA = _person(13, "Cora Lin", Role.CHAIR)
STAN = _person(14, "Stan Luo", Role.STATISTICIAN)
BEA = _person(15, "Bea Shi", Role.BOARD)
MAX = _person(16, "Max Ding", Role.MEDICAL_MONITOR)
SAM = _person(17, "Sam Kong", Role.SAFETY_OFFICER)
PIA = _person(18, "Pia Mo", Role.PREPARER, "PUMCH")
EVERYONE = (
    ANNA, CARL, PAUL, DORA, MONA, ADAM, AUDREY, ALMA, BO, DIRK, PETRA, EVE, CORA,
    STAN, BEA, MAX, SAM, PIA,
)  # fmt: skip


def username(actor):
    """Return the name `actor` signs in with: anna, carl, …"""
    return actor.name.split()[0].lower()


def introduce(database):
    """Put everyone's account and grant into the main database."""
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with database.write() as session:
        session.execute(
            insert(Person),
            [
                {
                    "id": actor.id, "username": username(actor), "name": actor.name,
                    "password": password, "locale": "en", "created_at": START,
                }
                for actor in EVERYONE
            ],
        )  # fmt: skip
        session.execute(
            insert(GrantRow),
            [
                {
                    "person_id": actor.id, "study": grant.study, "role": grant.role,
                    "site": grant.site, "starts_at": START,
                }
                for actor in EVERYONE for grant in actor.grants
            ],
        )  # fmt: skip
        if database.engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('person', 'id'), max(id)) FROM person"
            )
