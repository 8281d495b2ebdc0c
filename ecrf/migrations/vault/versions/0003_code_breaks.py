"""Code breaks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER offline_pack_no_update BEFORE UPDATE ON \"offline_pack\" BEGIN SELECT RAISE(ABORT, 'offline_pack is append-only'); END",
        "CREATE TRIGGER offline_pack_no_delete BEFORE DELETE ON \"offline_pack\" BEGIN SELECT RAISE(ABORT, 'offline_pack is append-only'); END",
        'CREATE TRIGGER offline_pack_no_replace BEFORE INSERT ON "offline_pack" WHEN EXISTS (SELECT 1 FROM "offline_pack" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'offline_pack is append-only\'); END',
        "CREATE TRIGGER break_call_no_update BEFORE UPDATE ON \"break_call\" BEGIN SELECT RAISE(ABORT, 'break_call is append-only'); END",
        "CREATE TRIGGER break_call_no_delete BEFORE DELETE ON \"break_call\" BEGIN SELECT RAISE(ABORT, 'break_call is append-only'); END",
        'CREATE TRIGGER break_call_no_replace BEFORE INSERT ON "break_call" WHEN EXISTS (SELECT 1 FROM "break_call" WHERE "reveal_id" = NEW."reveal_id") BEGIN SELECT RAISE(ABORT, \'break_call is append-only\'); END',
        "CREATE TRIGGER card_seen_no_update BEFORE UPDATE ON \"card_seen\" BEGIN SELECT RAISE(ABORT, 'card_seen is append-only'); END",
        "CREATE TRIGGER card_seen_no_delete BEFORE DELETE ON \"card_seen\" BEGIN SELECT RAISE(ABORT, 'card_seen is append-only'); END",
        'CREATE TRIGGER card_seen_no_replace BEFORE INSERT ON "card_seen" WHEN EXISTS (SELECT 1 FROM "card_seen" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'card_seen is append-only\'); END',
        "CREATE TRIGGER offline_card_no_update BEFORE UPDATE ON \"offline_card\" BEGIN SELECT RAISE(ABORT, 'offline_card is append-only'); END",
        "CREATE TRIGGER offline_card_no_delete BEFORE DELETE ON \"offline_card\" BEGIN SELECT RAISE(ABORT, 'offline_card is append-only'); END",
        'CREATE TRIGGER offline_card_no_replace BEFORE INSERT ON "offline_card" WHEN EXISTS (SELECT 1 FROM "offline_card" WHERE "pack_id" = NEW."pack_id" AND "number" = NEW."number") BEGIN SELECT RAISE(ABORT, \'offline_card is append-only\'); END',
        "CREATE TRIGGER break_carried_no_update BEFORE UPDATE ON \"break_carried\" BEGIN SELECT RAISE(ABORT, 'break_carried is append-only'); END",
        "CREATE TRIGGER break_carried_no_delete BEFORE DELETE ON \"break_carried\" BEGIN SELECT RAISE(ABORT, 'break_carried is append-only'); END",
        'CREATE TRIGGER break_carried_no_replace BEFORE INSERT ON "break_carried" WHEN EXISTS (SELECT 1 FROM "break_carried" WHERE "call_id" = NEW."call_id") BEGIN SELECT RAISE(ABORT, \'break_carried is append-only\'); END',
        "CREATE TRIGGER break_opened_no_update BEFORE UPDATE ON \"break_opened\" BEGIN SELECT RAISE(ABORT, 'break_opened is append-only'); END",
        "CREATE TRIGGER break_opened_no_delete BEFORE DELETE ON \"break_opened\" BEGIN SELECT RAISE(ABORT, 'break_opened is append-only'); END",
        'CREATE TRIGGER break_opened_no_replace BEFORE INSERT ON "break_opened" WHEN EXISTS (SELECT 1 FROM "break_opened" WHERE "call_id" = NEW."call_id") BEGIN SELECT RAISE(ABORT, \'break_opened is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER offline_pack_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "offline_pack" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_call_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_call" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER card_seen_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "card_seen" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER offline_card_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "offline_card" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_carried_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_carried" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_opened_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_opened" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "guess",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guess")),
    )
    op.create_table(
        "mirror",
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("study", name=op.f("pk_mirror")),
    )
    op.create_table(
        "offline_pack",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('kits', 'slots')", name=op.f("ck_offline_pack_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offline_pack")),
        sa.UniqueConstraint(
            "study",
            "environment",
            "number",
            name=op.f("uq_offline_pack_study_environment_number"),
        ),
    )
    op.create_table(
        "break_call",
        sa.Column("reveal_id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("contacted", sa.Boolean(), nullable=False),
        sa.Column("telephone", sa.String(length=40), nullable=False),
        sa.Column("to_role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["reveal_id"], ["reveal.id"], name=op.f("fk_break_call_reveal_id")
        ),
        sa.PrimaryKeyConstraint("reveal_id", name=op.f("pk_break_call")),
        sa.UniqueConstraint("ref", name=op.f("uq_break_call_ref")),
    )
    op.create_table(
        "card_seen",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('intact', 'drill', 'opened', 'missing', 'destroyed')",
            name=op.f("ck_card_seen_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["pack_id"], ["offline_pack.id"], name=op.f("fk_card_seen_pack_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_seen")),
    )
    with op.batch_alter_table("card_seen", schema=None) as batch_op:
        batch_op.create_index("ix_card_seen_card", ["pack_id", "card"], unique=False)

    op.create_table(
        "offline_card",
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("about", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["pack_id"], ["offline_pack.id"], name=op.f("fk_offline_card_pack_id")
        ),
        sa.PrimaryKeyConstraint("pack_id", "number", name=op.f("pk_offline_card")),
    )
    with op.batch_alter_table("offline_card", schema=None) as batch_op:
        batch_op.create_index("ix_offline_card_about", ["about"], unique=False)

    op.create_table(
        "break_carried",
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["break_call.reveal_id"], name=op.f("fk_break_carried_call_id")
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_break_carried")),
    )
    op.create_table(
        "break_opened",
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("reveal_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["break_call.reveal_id"], name=op.f("fk_break_opened_call_id")
        ),
        sa.ForeignKeyConstraint(
            ["reveal_id"], ["reveal.id"], name=op.f("fk_break_opened_reveal_id")
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_break_opened")),
        sa.UniqueConstraint("reveal_id", name=op.f("uq_break_opened_reveal_id")),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
