"""Ceremonies of lists."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER ceremony_no_update BEFORE UPDATE ON \"ceremony\" BEGIN SELECT RAISE(ABORT, 'ceremony is append-only'); END",
        "CREATE TRIGGER ceremony_no_delete BEFORE DELETE ON \"ceremony\" BEGIN SELECT RAISE(ABORT, 'ceremony is append-only'); END",
        'CREATE TRIGGER ceremony_no_replace BEFORE INSERT ON "ceremony" WHEN EXISTS (SELECT 1 FROM "ceremony" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'ceremony is append-only\'); END',
        "CREATE TRIGGER ceremony_step_no_update BEFORE UPDATE ON \"ceremony_step\" BEGIN SELECT RAISE(ABORT, 'ceremony_step is append-only'); END",
        "CREATE TRIGGER ceremony_step_no_delete BEFORE DELETE ON \"ceremony_step\" BEGIN SELECT RAISE(ABORT, 'ceremony_step is append-only'); END",
        'CREATE TRIGGER ceremony_step_no_replace BEFORE INSERT ON "ceremony_step" WHEN EXISTS (SELECT 1 FROM "ceremony_step" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'ceremony_step is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER ceremony_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ceremony" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER ceremony_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ceremony_step" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "ceremony",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        sa.Column("spec_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("spec_hash", sa.String(length=64), nullable=False),
        sa.Column("software", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ceremony")),
        sa.UniqueConstraint(
            "study",
            "environment",
            "version",
            name=op.f("uq_ceremony_study_environment_version"),
        ),
    )
    op.create_table(
        "ceremony_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ceremony_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=4000), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ceremony_id"], ["ceremony.id"], name=op.f("fk_ceremony_step_ceremony_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ceremony_step")),
        sa.UniqueConstraint(
            "ceremony_id", "turn", name=op.f("uq_ceremony_step_ceremony_id_turn")
        ),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
