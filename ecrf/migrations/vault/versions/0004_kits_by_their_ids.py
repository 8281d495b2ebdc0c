"""Kits by their ids: the trigger that takes them finds each by its key, and reads no others."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION take_kits() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN UPDATE kit SET state = 'assigned', participant = NEW.participant,"
    " visit = NEW.visit WHERE id = ANY (ARRAY("
    "SELECT value::integer FROM json_array_elements_text(NEW.kits::json)));"
    " RETURN NEW; END $$"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
