"""Supply, notes of what was packed, and the end of the blind."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER destruction_no_update BEFORE UPDATE ON \"destruction\" BEGIN SELECT RAISE(ABORT, 'destruction is append-only'); END",
        "CREATE TRIGGER destruction_no_delete BEFORE DELETE ON \"destruction\" BEGIN SELECT RAISE(ABORT, 'destruction is append-only'); END",
        'CREATE TRIGGER destruction_no_replace BEFORE INSERT ON "destruction" WHEN EXISTS (SELECT 1 FROM "destruction" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'destruction is append-only\'); END',
        "CREATE TRIGGER packing_note_no_update BEFORE UPDATE ON \"packing_note\" BEGIN SELECT RAISE(ABORT, 'packing_note is append-only'); END",
        "CREATE TRIGGER packing_note_no_delete BEFORE DELETE ON \"packing_note\" BEGIN SELECT RAISE(ABORT, 'packing_note is append-only'); END",
        'CREATE TRIGGER packing_note_no_replace BEFORE INSERT ON "packing_note" WHEN EXISTS (SELECT 1 FROM "packing_note" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'packing_note is append-only\'); END',
        "CREATE TRIGGER destruction_signed_no_update BEFORE UPDATE ON \"destruction_signed\" BEGIN SELECT RAISE(ABORT, 'destruction_signed is append-only'); END",
        "CREATE TRIGGER destruction_signed_no_delete BEFORE DELETE ON \"destruction_signed\" BEGIN SELECT RAISE(ABORT, 'destruction_signed is append-only'); END",
        'CREATE TRIGGER destruction_signed_no_replace BEFORE INSERT ON "destruction_signed" WHEN EXISTS (SELECT 1 FROM "destruction_signed" WHERE "destruction_id" = NEW."destruction_id" AND "by_id" = NEW."by_id") BEGIN SELECT RAISE(ABORT, \'destruction_signed is append-only\'); END',
        "CREATE TRIGGER unblinding_no_update BEFORE UPDATE ON \"unblinding\" BEGIN SELECT RAISE(ABORT, 'unblinding is append-only'); END",
        "CREATE TRIGGER unblinding_no_delete BEFORE DELETE ON \"unblinding\" BEGIN SELECT RAISE(ABORT, 'unblinding is append-only'); END",
        'CREATE TRIGGER unblinding_no_replace BEFORE INSERT ON "unblinding" WHEN EXISTS (SELECT 1 FROM "unblinding" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'unblinding is append-only\'); END',
        "CREATE TRIGGER destroyed_no_update BEFORE UPDATE ON \"destroyed\" BEGIN SELECT RAISE(ABORT, 'destroyed is append-only'); END",
        "CREATE TRIGGER destroyed_no_delete BEFORE DELETE ON \"destroyed\" BEGIN SELECT RAISE(ABORT, 'destroyed is append-only'); END",
        'CREATE TRIGGER destroyed_no_replace BEFORE INSERT ON "destroyed" WHEN EXISTS (SELECT 1 FROM "destroyed" WHERE "kit_id" = NEW."kit_id") BEGIN SELECT RAISE(ABORT, \'destroyed is append-only\'); END',
        "CREATE TRIGGER kit_return_no_update BEFORE UPDATE ON \"kit_return\" BEGIN SELECT RAISE(ABORT, 'kit_return is append-only'); END",
        "CREATE TRIGGER kit_return_no_delete BEFORE DELETE ON \"kit_return\" BEGIN SELECT RAISE(ABORT, 'kit_return is append-only'); END",
        'CREATE TRIGGER kit_return_no_replace BEFORE INSERT ON "kit_return" WHEN EXISTS (SELECT 1 FROM "kit_return" WHERE "kit_id" = NEW."kit_id") BEGIN SELECT RAISE(ABORT, \'kit_return is append-only\'); END',
        "CREATE TRIGGER replacement_no_update BEFORE UPDATE ON \"replacement\" BEGIN SELECT RAISE(ABORT, 'replacement is append-only'); END",
        "CREATE TRIGGER replacement_no_delete BEFORE DELETE ON \"replacement\" BEGIN SELECT RAISE(ABORT, 'replacement is append-only'); END",
        'CREATE TRIGGER replacement_no_replace BEFORE INSERT ON "replacement" WHEN EXISTS (SELECT 1 FROM "replacement" WHERE "kit_id" = NEW."kit_id") BEGIN SELECT RAISE(ABORT, \'replacement is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER destruction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "destruction" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER packing_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "packing_note" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER destruction_signed_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "destruction_signed" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER unblinding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "unblinding" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER destroyed_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "destroyed" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER kit_return_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "kit_return" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER replacement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "replacement" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "destruction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
    )
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
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "shipment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("sets", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("logger", sa.String(length=40), nullable=False),
        sa.Column("low", sa.String(length=8), nullable=False),
        sa.Column("high", sa.String(length=8), nullable=False),
        sa.CheckConstraint("sets >= 1", name=op.f("ck_shipment_sets_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint(
            "study", "environment", "number", name=op.f("uq_shipment_study_environment_number")
        ),
        sa.UniqueConstraint(
            "study",
            "environment",
            "site",
            "cause",
            name=op.f("uq_shipment_study_environment_site_cause"),
        ),
    )
    op.create_table(
        "destruction_signed",
        sa.Column("destruction_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"],
            ["destruction.id"],
            name=op.f("fk_destruction_signed_destruction_id"),
        ),
        sa.PrimaryKeyConstraint("destruction_id", "by_id", name=op.f("pk_destruction_signed")),
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
    op.create_table(
        "destroyed",
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("destruction_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"], ["destruction.id"], name=op.f("fk_destroyed_destruction_id")
        ),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_destroyed_kit_id")),
        sa.PrimaryKeyConstraint("kit_id", name=op.f("pk_destroyed")),
    )
    with op.batch_alter_table("destroyed", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_destroyed_destruction_id"), ["destruction_id"], unique=False
        )

    op.create_table(
        "held",
        sa.Column("quarantine_id", sa.Integer(), nullable=False),
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_held_kit_id")),
        sa.ForeignKeyConstraint(
            ["quarantine_id"], ["quarantine.id"], name=op.f("fk_held_quarantine_id")
        ),
        sa.PrimaryKeyConstraint("quarantine_id", "kit_id", name=op.f("pk_held")),
    )
    op.create_table(
        "kit_return",
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("units >= 0", name=op.f("ck_kit_return_units_from_none")),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_kit_return_kit_id")),
        sa.PrimaryKeyConstraint("kit_id", name=op.f("pk_kit_return")),
    )
    op.create_table(
        "replacement",
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("by_kit_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_kit_id"], ["kit.id"], name=op.f("fk_replacement_by_kit_id")
        ),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_replacement_kit_id")),
        sa.PrimaryKeyConstraint("kit_id", name=op.f("pk_replacement")),
        sa.UniqueConstraint("by_kit_id", name=op.f("uq_replacement_by_kit_id")),
    )
    op.create_table(
        "shipped",
        sa.Column("shipment_id", sa.Integer(), nullable=False),
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("condition", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_shipped_kit_id")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_shipped_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", "kit_id", name=op.f("pk_shipped")),
    )
    with op.batch_alter_table("kit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("note_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_kit_note_id"), ["note_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_kit_note_id"), "packing_note", ["note_id"], ["id"]
        )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
