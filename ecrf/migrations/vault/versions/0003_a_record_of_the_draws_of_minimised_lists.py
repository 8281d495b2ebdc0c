"""A record of the draws of minimised lists."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER draw_no_update BEFORE UPDATE ON \"draw\" BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        "CREATE TRIGGER draw_no_delete BEFORE DELETE ON \"draw\" BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        'CREATE TRIGGER draw_no_replace BEFORE INSERT ON "draw" WHEN EXISTS (SELECT 1 FROM "draw" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'draw is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER draw_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "draw" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("config", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_draw_number_from_one")),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_draw_list_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_draw_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
        sa.UniqueConstraint("list_id", "number", name=op.f("uq_draw_list_id_number")),
        sa.UniqueConstraint("slot_id", name=op.f("uq_draw_slot_id")),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
