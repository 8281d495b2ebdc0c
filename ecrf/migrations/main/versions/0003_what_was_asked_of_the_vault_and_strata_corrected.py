"""What was asked of the vault, and strata corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER randomization_asking_no_update BEFORE UPDATE ON \"randomization_asking\" BEGIN SELECT RAISE(ABORT, 'randomization_asking is append-only'); END",
        "CREATE TRIGGER randomization_asking_no_delete BEFORE DELETE ON \"randomization_asking\" BEGIN SELECT RAISE(ABORT, 'randomization_asking is append-only'); END",
        'CREATE TRIGGER randomization_asking_no_replace BEFORE INSERT ON "randomization_asking" WHEN EXISTS (SELECT 1 FROM "randomization_asking" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'randomization_asking is append-only\'); END',
        "CREATE TRIGGER stratum_correction_no_update BEFORE UPDATE ON \"stratum_correction\" BEGIN SELECT RAISE(ABORT, 'stratum_correction is append-only'); END",
        "CREATE TRIGGER stratum_correction_no_delete BEFORE DELETE ON \"stratum_correction\" BEGIN SELECT RAISE(ABORT, 'stratum_correction is append-only'); END",
        'CREATE TRIGGER stratum_correction_no_replace BEFORE INSERT ON "stratum_correction" WHEN EXISTS (SELECT 1 FROM "stratum_correction" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'stratum_correction is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER randomization_asking_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "randomization_asking" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER stratum_correction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "stratum_correction" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "randomization_asking",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("payload", sa.String(length=64), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("meaning_en", sa.String(length=400), nullable=False),
        sa.Column("meaning_zh", sa.String(length=400), nullable=False),
        sa.Column("text_en", sa.String(length=400), nullable=False),
        sa.Column("text_zh", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('asked', 'refused')", name=op.f("ck_randomization_asking_kind")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_randomization_asking_participant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_randomization_asking")),
    )
    with op.batch_alter_table("randomization_asking", schema=None) as batch_op:
        batch_op.create_index(
            "ix_randomization_asking_participant_id", ["participant_id"], unique=False
        )

    op.create_table(
        "stratum_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("factor", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("true_level", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_stratum_correction_participant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stratum_correction")),
    )
    with op.batch_alter_table("stratum_correction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_stratum_correction_participant_id", ["participant_id"], unique=False
        )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
