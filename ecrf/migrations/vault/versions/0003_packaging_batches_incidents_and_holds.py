"""Packaging batches incidents and holds."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER dose_hold_no_update BEFORE UPDATE ON \"dose_hold\" BEGIN SELECT RAISE(ABORT, 'dose_hold is append-only'); END",
        "CREATE TRIGGER dose_hold_no_delete BEFORE DELETE ON \"dose_hold\" BEGIN SELECT RAISE(ABORT, 'dose_hold is append-only'); END",
        'CREATE TRIGGER dose_hold_no_replace BEFORE INSERT ON "dose_hold" WHEN EXISTS (SELECT 1 FROM "dose_hold" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'dose_hold is append-only\'); END',
        "CREATE TRIGGER incident_no_update BEFORE UPDATE ON \"incident\" BEGIN SELECT RAISE(ABORT, 'incident is append-only'); END",
        "CREATE TRIGGER incident_no_delete BEFORE DELETE ON \"incident\" BEGIN SELECT RAISE(ABORT, 'incident is append-only'); END",
        'CREATE TRIGGER incident_no_replace BEFORE INSERT ON "incident" WHEN EXISTS (SELECT 1 FROM "incident" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'incident is append-only\'); END',
        "CREATE TRIGGER component_no_update BEFORE UPDATE ON \"component\" BEGIN SELECT RAISE(ABORT, 'component is append-only'); END",
        "CREATE TRIGGER component_no_delete BEFORE DELETE ON \"component\" BEGIN SELECT RAISE(ABORT, 'component is append-only'); END",
        'CREATE TRIGGER component_no_replace BEFORE INSERT ON "component" WHEN EXISTS (SELECT 1 FROM "component" WHERE "batch_id" = NEW."batch_id" AND "place" = NEW."place") BEGIN SELECT RAISE(ABORT, \'component is append-only\'); END',
        "CREATE TRIGGER extension_no_update BEFORE UPDATE ON \"extension\" BEGIN SELECT RAISE(ABORT, 'extension is append-only'); END",
        "CREATE TRIGGER extension_no_delete BEFORE DELETE ON \"extension\" BEGIN SELECT RAISE(ABORT, 'extension is append-only'); END",
        'CREATE TRIGGER extension_no_replace BEFORE INSERT ON "extension" WHEN EXISTS (SELECT 1 FROM "extension" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'extension is append-only\'); END',
        "CREATE TRIGGER incident_note_no_update BEFORE UPDATE ON \"incident_note\" BEGIN SELECT RAISE(ABORT, 'incident_note is append-only'); END",
        "CREATE TRIGGER incident_note_no_delete BEFORE DELETE ON \"incident_note\" BEGIN SELECT RAISE(ABORT, 'incident_note is append-only'); END",
        'CREATE TRIGGER incident_note_no_replace BEFORE INSERT ON "incident_note" WHEN EXISTS (SELECT 1 FROM "incident_note" WHERE "incident_id" = NEW."incident_id" AND "kind" = NEW."kind") BEGIN SELECT RAISE(ABORT, \'incident_note is append-only\'); END',
        "CREATE TRIGGER dispensation_check_no_update BEFORE UPDATE ON \"dispensation_check\" BEGIN SELECT RAISE(ABORT, 'dispensation_check is append-only'); END",
        "CREATE TRIGGER dispensation_check_no_delete BEFORE DELETE ON \"dispensation_check\" BEGIN SELECT RAISE(ABORT, 'dispensation_check is append-only'); END",
        'CREATE TRIGGER dispensation_check_no_replace BEFORE INSERT ON "dispensation_check" WHEN EXISTS (SELECT 1 FROM "dispensation_check" WHERE "kit_id" = NEW."kit_id") BEGIN SELECT RAISE(ABORT, \'dispensation_check is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER dose_hold_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "dose_hold" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER incident_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "incident" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER component_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "component" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER extension_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "extension" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER incident_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "incident_note" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER dispensation_check_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "dispensation_check" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint(
            "study", "environment", "code", name=op.f("uq_batch_study_environment_code")
        ),
    )
    op.create_table(
        "dose_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_dose_hold_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dose_hold")),
    )
    with op.batch_alter_table("dose_hold", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dose_hold_participant", ["study", "participant"], unique=False
        )

    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("scanned", sa.String(length=12), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(
            "ix_incident_visit", ["study", "participant", "visit"], unique=False
        )

    op.create_table(
        "component",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_component_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_component")),
    )
    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("former", sa.Date(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_extension_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_batch_id"), ["batch_id"], unique=False)

    op.create_table(
        "incident_note",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('acknowledged', 'closed')", name=op.f("ck_incident_note_kind")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_note_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", "kind", name=op.f("pk_incident_note")),
    )
    op.create_table(
        "dispensation_check",
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kit_id"], ["kit.id"], name=op.f("fk_dispensation_check_kit_id")
        ),
        sa.PrimaryKeyConstraint("kit_id", name=op.f("pk_dispensation_check")),
    )
    op.execute(
        "INSERT INTO batch (study, environment, code, expiry, by_id, at)"
        " SELECT study, environment, batch, MIN(expiry), 0, MAX(at) FROM"
        " (SELECT kit.study, kit.environment, kit.batch, kit.expiry,"
        " COALESCE(packing_note.at, list.generated_at) AS at FROM kit"
        " LEFT JOIN packing_note ON packing_note.id = kit.note_id"
        " LEFT JOIN list ON list.study = kit.study AND list.environment = kit.environment) AS kits"
        " GROUP BY study, environment, batch"
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
