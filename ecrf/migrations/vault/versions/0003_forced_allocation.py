"""Forced allocation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER forcing_no_update BEFORE UPDATE ON \"forcing\" BEGIN SELECT RAISE(ABORT, 'forcing is append-only'); END",
        "CREATE TRIGGER forcing_no_delete BEFORE DELETE ON \"forcing\" BEGIN SELECT RAISE(ABORT, 'forcing is append-only'); END",
        'CREATE TRIGGER forcing_no_replace BEFORE INSERT ON "forcing" WHEN EXISTS (SELECT 1 FROM "forcing" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'forcing is append-only\'); END',
        "CREATE TRIGGER forcing_settled_no_update BEFORE UPDATE ON \"forcing_settled\" BEGIN SELECT RAISE(ABORT, 'forcing_settled is append-only'); END",
        "CREATE TRIGGER forcing_settled_no_delete BEFORE DELETE ON \"forcing_settled\" BEGIN SELECT RAISE(ABORT, 'forcing_settled is append-only'); END",
        'CREATE TRIGGER forcing_settled_no_replace BEFORE INSERT ON "forcing_settled" WHEN EXISTS (SELECT 1 FROM "forcing_settled" WHERE "forcing_id" = NEW."forcing_id") BEGIN SELECT RAISE(ABORT, \'forcing_settled is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER forcing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "forcing" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER forcing_settled_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "forcing_settled" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "forcing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("kits", sa.Integer(), nullable=False),
        sa.Column("usable_until", sa.Date(), nullable=False),
        sa.Column("most_study", sa.Integer(), nullable=True),
        sa.Column("most_site", sa.Integer(), nullable=True),
        sa.Column("most_stratum", sa.Integer(), nullable=True),
        sa.Column("supply", sa.Boolean(), nullable=False),
        sa.Column("cap", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("supply OR cap", name=op.f("ck_forcing_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forcing")),
    )
    with op.batch_alter_table("forcing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_forcing_study_participant", ["study", "participant"], unique=False
        )

    op.create_table(
        "forcing_settled",
        sa.Column("forcing_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('carried out', 'declined')", name=op.f("ck_forcing_settled_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["forcing_id"], ["forcing.id"], name=op.f("fk_forcing_settled_forcing_id")
        ),
        sa.PrimaryKeyConstraint("forcing_id", name=op.f("pk_forcing_settled")),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
