"""PostgreSQL roles as `ecrf roles` prints them, applied to a real server and tried for real."""

import ast
import os
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ecrf import migrations
from ecrf.cli import main
from ecrf.kernel.append_only import MARK
from ecrf.kernel.db import Database
from ecrf.migrations import roles
from ecrf.migrations.roles import Names
from tests.people import ANNA, PAUL
from tests.vault_apart.conftest import free_port
from tests.vault_apart.installations import Place
from tests.vault_apart.processes import Browser, Process, running
from tests.vault_apart.test_two_processes import (  # noqa: F401
    CODE,
    CONFIRM,
    PAGE,
    STUDY,
    folder,
)
from tests.web.test_randomize import PASSWORD, ready_databases  # noqa: F401
from tools.schemas import metadata

ROOT = Path(__file__).parents[2]
NUMBERS = count(1)
SECRET = "a password of a role"


def url_as(url, role):
    made = make_url(url).set(username=role, password=SECRET)
    return made.render_as_string(hide_password=False)


def run(url, statements):
    """Run a script as psql would, each statement by itself."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.connection.driver_connection.execute(statements)
    finally:
        engine.dispose()


class Cluster:
    """Two databases on the tests' server, and the three roles of one installation."""

    def __init__(self, server, main_url, vault_url):
        self.server, self.main_url, self.vault_url = server, main_url, vault_url
        prefix = f"ecrf_{os.getpid()}_{next(NUMBERS)}"
        self.names = Names(
            make_url(main_url).database, make_url(vault_url).database,
            f"{prefix}_owner", f"{prefix}_blinded", f"{prefix}_keeper",
        )  # fmt: skip
        run(main_url, roles.sql("cluster", self.names))
        for role in self.roles:
            run(main_url, f"ALTER ROLE {role} PASSWORD '{SECRET}'")

    @property
    def roles(self):
        return (self.names.owner, self.names.blinded, self.names.vault)

    def give(self):
        """Give the rights inside each database, as after a migration."""
        run(self.main_url, roles.sql("main", self.names))
        run(self.vault_url, roles.sql("vault", self.names))

    def end(self):
        for url in (self.main_url, self.vault_url):
            run(url, f"REASSIGN OWNED BY {self.names.owner} TO CURRENT_USER")
            run(url, f"DROP OWNED BY {', '.join(self.roles)}")
            self.server.drop(url)
        admin = self.server.url.render_as_string(hide_password=False)
        for role in self.roles:
            run(admin, f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def cluster(postgres_server, ready_databases, filled_vaults):  # noqa: F811
    """The trial in force with somebody to randomize, its vault, and the roles."""
    urls = [p.copy("postgresql", None) for p in (ready_databases, filled_vaults)]
    made = Cluster(postgres_server(), *urls)
    made.give()
    yield made
    made.end()


def connected(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT current_user"))
    finally:
        engine.dispose()


def forbidden(url, statement):
    """Say that the server itself refuses this to the role."""
    engine = create_engine(url)
    with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    engine.dispose()
    return refused.value.orig.sqlstate == "42501"


def allowed(url, statement):
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text(statement))
        connection.rollback()
    engine.dispose()
    return True


@pytest.mark.req("BL-03")
def test_the_blinded_role_may_not_even_connect_to_the_vaults_database(cluster):
    names = cluster.names
    assert connected(url_as(cluster.main_url, names.blinded)) == names.blinded
    assert connected(url_as(cluster.main_url, names.vault)) == names.vault
    assert connected(url_as(cluster.vault_url, names.vault)) == names.vault
    with pytest.raises(OperationalError, match="permission denied for database"):
        connected(url_as(cluster.vault_url, names.blinded))


@pytest.mark.parametrize("which", ["main", "vault"])
def test_no_role_of_an_app_changes_what_is_append_only(cluster, which):
    guarded = [t.name for t in metadata(which).sorted_tables if t.info.get(MARK)]
    assert "act" in guarded
    holders = {
        "main": [url_as(cluster.main_url, cluster.names.blinded),
                 url_as(cluster.main_url, cluster.names.vault)],
        "vault": [url_as(cluster.vault_url, cluster.names.vault)],
    }  # fmt: skip
    for url in holders[which]:
        for table in guarded:
            column = next(iter(metadata(which).tables[table].columns)).name
            assert forbidden(url, f'UPDATE "{table}" SET "{column}" = "{column}"')
            assert forbidden(url, f'DELETE FROM "{table}"')
            assert forbidden(url, f'TRUNCATE "{table}"')
        for other in (
            "ALTER TABLE act DISABLE TRIGGER ALL",
            "DROP TRIGGER act_append_only ON act",
        ):
            assert forbidden(url, other)
        assert forbidden(url, "CREATE TABLE mine (a integer)")


def test_the_blinded_app_removes_no_entry_and_the_vault_changes_no_answer_and_no_slot(cluster):
    blinded = url_as(cluster.main_url, cluster.names.blinded)
    reading = url_as(cluster.main_url, cluster.names.vault)
    keeper = url_as(cluster.vault_url, cluster.names.vault)
    assert forbidden(blinded, "DELETE FROM participant")
    assert forbidden(blinded, "DELETE FROM entry")
    assert allowed(blinded, "DELETE FROM draft")
    for statement in (
        "UPDATE entry SET version = 9", 'INSERT INTO "grant" SELECT * FROM "grant"',
        "UPDATE person SET password = ''", "UPDATE participant SET code = ''",
        "DELETE FROM kit_given",
    ):  # fmt: skip
        assert forbidden(reading, statement)
    for table in ("slot", "stratum", "shelf"):
        column = next(iter(metadata("vault").tables[table].columns)).name
        assert forbidden(keeper, f"UPDATE {table} SET {column} = {column}")
        assert forbidden(keeper, f"DELETE FROM {table}")


@pytest.mark.req("BL-03")
def test_under_their_roles_both_processes_work(cluster, folder):  # noqa: F811
    """Save, randomize over the line; on the vault's side hand out and break the code."""
    place, names = Place(folder, cluster.main_url, cluster.vault_url), cluster.names
    shared = place.common | {"ECRF_DATABASE_URL": url_as(cluster.main_url, names.blinded)}
    own = place.vaults | {
        "ECRF_DATABASE_URL": url_as(cluster.main_url, names.vault),
        "ECRF_VAULT_DATABASE_URL": url_as(cluster.vault_url, names.vault),
    }  # fmt: skip
    run(cluster.main_url, "UPDATE visit SET held_on = '2026-02-20' WHERE key = 'SCR'")
    blinded = Process(("--only", "blinded"), shared, free_port(), folder / "blinded.txt")
    vault = Process(("--only", "vault"), own, free_port(), folder / "vault.txt")
    with running(vault, blinded):
        anna = Browser(blinded.url).sign_in(ANNA)
        status, page = anna.send(PAGE, **CONFIRM)
        assert status == 200, page + blinded.said()
        form = f"/{STUDY}/participants/{CODE}/visits/SCR/vs"
        status, page = anna.send(
            form, to=f"{form}/1", seen_version="0", act="draft", sbp="121", dbp="79"
        )
        assert status == 200, page + blinded.said()
        assert 'value="121"' in page
        database = Database(cluster.main_url)
        with database.read() as session:
            kits = text("SELECT number FROM kit_given ORDER BY number")
            first = session.scalars(kits).first()
        database.dispose()
        paul = Browser(vault.url).sign_in(PAUL)
        visit = f"/vault/{STUDY}/participants/{CODE}/BL"
        assert paul.send(visit, act="dispense", number=first)[0] == 200, vault.said()
        later = visit.replace("/BL", "/W4")
        assert paul.send(later, act="assign")[0] == 200, vault.said()
        broken = Browser(vault.url).sign_in(ANNA).send(
            f"/vault/{STUDY}/code-break", step="3", code=CODE, again=CODE, why="overdose",
            understood="1", ref="0123456789abcdef",
            reason="Took sixty capsules", password=PASSWORD,
        )  # fmt: skip
        assert broken[0] == 200, vault.said()
    assert "permission denied" not in blinded.said() + vault.said()


def test_the_owner_migrates_and_the_script_may_be_run_again(postgres_server):
    server = postgres_server()
    made = Cluster(server, server.create(), server.create())
    for url, which in ((made.main_url, "main"), (made.vault_url, "vault")):
        migrations.upgrade(url_as(url, made.names.owner), which)
    for _ in range(2):
        run(made.main_url, roles.sql("cluster", made.names))
        run(url_as(made.main_url, made.names.owner), roles.sql("main", made.names))
        run(url_as(made.vault_url, made.names.owner), roles.sql("vault", made.names))
    blinded = url_as(made.main_url, made.names.blinded)
    assert forbidden(blinded, "UPDATE alembic_version SET version_num = '9999'")
    assert allowed(blinded, "SELECT version_num FROM alembic_version")
    made.end()


@pytest.mark.parametrize("part", ["cluster", "main", "vault"])
def test_the_command_prints_the_script_with_the_names_given(part):
    done = CliRunner().invoke(main, ["roles", part, "--blinded", "reader_of_forms"])
    assert done.exit_code == 0
    assert "reader_of_forms" in done.output
    assert "ecrf_blinded" not in done.output
    assert "$" not in done.output.replace("$$", "")


@pytest.mark.parametrize("wrong", ['x"; DROP TABLE act', "Ecrf", "", "ecrf_keeper"])
def test_a_name_that_is_no_name_is_refused(wrong):
    done = CliRunner().invoke(main, ["roles", "main", "--blinded", wrong])
    assert done.exit_code == 2


def test_the_tables_rows_are_taken_from_are_those_the_code_takes_rows_from():
    """Every `delete(Row)` of the blinded side, by its table."""
    tables = {
        mapper.class_.__name__: mapper.local_table.name
        for base in [metadata("main")]
        for mapper in _mappers()
        if mapper.local_table.metadata is base
    }
    found = set()
    for package in ("ecrf", "forms", "visits", "reports"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "delete"
                    and isinstance(node.args[0], ast.Name)
                ):
                    found.add(tables[node.args[0].id])
    assert found == set(roles.DELETABLE)


def _mappers():
    from ecrf.kernel.db import Base

    return Base.registry.mappers
