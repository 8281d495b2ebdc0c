"""Asking the vault, code breaks, mail."""

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
        "delivery",
        sa.Column("outgoing_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outgoing_id"], ["outbox.id"], name=op.f("fk_delivery_outgoing_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_delivery_person_id")
        ),
        sa.PrimaryKeyConstraint("outgoing_id", "person_id", name=op.f("pk_delivery")),
    )
    op.create_table(
        "code_break",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("known_at", sa.DateTime(), nullable=False),
        sa.Column("contacted", sa.Boolean(), nullable=False),
        sa.Column("telephone", sa.String(length=40), nullable=False),
        sa.Column("sent_to", sa.String(length=64), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("learned", sa.String(length=2000), nullable=False),
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("measures", sa.String(length=2000), nullable=False),
        sa.Column("assessed_at", sa.DateTime(), nullable=True),
        sa.Column("assessed_by", sa.String(length=120), nullable=True),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('emergency', 'safety reporting', 'accidental')",
            name=op.f("ck_code_break_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_code_break_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_code_break_signature_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_break")),
        sa.UniqueConstraint("ref", name=op.f("uq_code_break_ref")),
    )
    with op.batch_alter_table("code_break", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_code_break_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_code_break_study", ["study", "id"], unique=False)

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

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("tries", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("not_before", sa.DateTime(), nullable=True))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=200), nullable=True))

    with op.batch_alter_table("outbox") as batch_op:
        batch_op.alter_column("tries", server_default=None)
    # What waited before there was mail is known from the pages; it is not sent years later.
    op.execute("UPDATE outbox SET sent_at = at WHERE sent_at IS NULL")
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
