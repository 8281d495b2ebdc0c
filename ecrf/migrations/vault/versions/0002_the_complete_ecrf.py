"""The complete eCRF."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER packing_note_no_update BEFORE UPDATE ON \"packing_note\" BEGIN SELECT RAISE(ABORT, 'packing_note is append-only'); END",
        "CREATE TRIGGER packing_note_no_delete BEFORE DELETE ON \"packing_note\" BEGIN SELECT RAISE(ABORT, 'packing_note is append-only'); END",
        'CREATE TRIGGER packing_note_no_replace BEFORE INSERT ON "packing_note" WHEN EXISTS (SELECT 1 FROM "packing_note" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'packing_note is append-only\'); END',
        "CREATE TRIGGER unblinding_no_update BEFORE UPDATE ON \"unblinding\" BEGIN SELECT RAISE(ABORT, 'unblinding is append-only'); END",
        "CREATE TRIGGER unblinding_no_delete BEFORE DELETE ON \"unblinding\" BEGIN SELECT RAISE(ABORT, 'unblinding is append-only'); END",
        'CREATE TRIGGER unblinding_no_replace BEFORE INSERT ON "unblinding" WHEN EXISTS (SELECT 1 FROM "unblinding" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'unblinding is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER packing_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "packing_note" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER unblinding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "unblinding" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "packing_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("signature", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packing_note")),
    )
    op.create_table(
        "unblinding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("locked", sa.String(length=200), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_unblinding_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unblinding")),
        sa.UniqueConstraint("list_id", "by_id", name=op.f("uq_unblinding_list_id_by_id")),
    )
    with op.batch_alter_table("kit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("note_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_kit_note_id"), ["note_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_kit_note_id"), "packing_note", ["note_id"], ["id"]
        )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
