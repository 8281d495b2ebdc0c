"""Is the installation set up so that the blind can hold? Databases, keys, roles, lists."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import inspect, make_url, select

from ecrf.cli.installation import Installation
from ecrf.cli.proving.result import Result, judged
from ecrf.kernel.access import UNBLINDED, Role, conflict
from ecrf.kernel.people import GrantRow, Person
from ecrf.kernel.text import Message, T
from randomization.proving import api as proving

OTHERS = 0o077


def results(place: Installation, study: str) -> Iterator[Result]:
    yield judged(
        "databases", T("Two databases"),
        T("The settings name two databases; the main one has none of the vault's tables."),
        T("The vault's database is another one than the main database."),
        tuple(_databases(place)),
    )  # fmt: skip
    yield judged(
        "keys", T("Key files"),
        T("The key files are there, and nobody but their owner may read them."),
        T("The key files are readable by their owner alone."), tuple(_keys(place)),
    )  # fmt: skip
    people, wrong = _roles(place, study)
    yield judged(
        "roles", T("Separation of roles"),
        T("The roles each person ever held in the study, ended ones too, are tested for a mix "
          "of blinded and unblinded ones."),
        T("{n} people looked at; {unblinded} of them hold or held an unblinded role.",
          n=len(people), unblinded=sum(bool(roles & UNBLINDED) for roles in people.values())),
        wrong,
    )  # fmt: skip
    environments = proving.environments(place.vault, study)
    here = str(place.config.environment)
    strange = tuple(
        T("There is a list for {environment} in this database; this installation is for "
          "{here}.", environment=other, here=here)
        for other in environments if other != here
    )  # fmt: skip
    yield judged(
        "environment", T("Lists of this environment alone"),
        T("A list belongs to one environment and cannot be opened for another."),
        T("{n} list(s), all for {here}.", n=sum(environments.values()), here=here), strange,
    )  # fmt: skip


def _databases(place: Installation) -> Iterator[Message]:
    main, vault = (
        make_url(url) for url in (place.config.database_url, place.config.vault_database_url)
    )
    if main.database == vault.database and main.host == vault.host:
        yield T("Both settings name the same database.")
    if main.get_backend_name() == "postgresql" and main.username == vault.username:
        yield T("Both databases are opened by the same database user.")
    there = set(inspect(place.database.engine).get_table_names())
    for name in sorted(there & proving.own_tables()):
        yield T("The main database has a table {table}, which is the vault's.", table=name)


def _keys(place: Installation) -> Iterator[Message]:
    for path in (place.config.vault_key_file, place.config.signing_key_file):
        if not path.is_file():
            yield T("The key file {path} is not there.", path=path.name)
        elif path.stat().st_mode & OTHERS:
            yield T("Others than the owner may use the key file {path}.", path=path.name)
    main = _folder(place.config.database_url)
    if main is not None and main == place.config.vault_key_file.resolve().parent:
        yield T("The vault's key lies in the folder of the main database.")


def _folder(url: str) -> Path | None:
    parts = make_url(url)
    here = parts.get_backend_name() == "sqlite" and parts.database
    return Path(str(parts.database)).resolve().parent if here else None


def _roles(place: Installation, study: str) -> tuple[dict[int, set[Role]], tuple[Message, ...]]:
    held: dict[int, set[Role]] = defaultdict(set)
    with place.database.read() as session:
        for person, role in session.execute(
            select(GrantRow.person_id, GrantRow.role).where(GrantRow.study == study)
        ):
            held[person].add(Role(role))
        mixed = [person for person, roles in held.items() if conflict(roles)]
        names = session.scalars(select(Person.username).where(Person.id.in_(mixed))).all()
    wrong = tuple(
        T("{name} holds or held roles that exclude one another.", name=n) for n in names
    )
    return dict(held), wrong
