"""Everything of the first day."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON \"checkpoint\" BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
        "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON \"checkpoint\" BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
        'CREATE TRIGGER checkpoint_no_replace BEFORE INSERT ON "checkpoint" WHEN EXISTS (SELECT 1 FROM "checkpoint" WHERE "number" = NEW."number") BEGIN SELECT RAISE(ABORT, \'checkpoint is append-only\'); END',
        "CREATE TRIGGER reveal_no_update BEFORE UPDATE ON \"reveal\" BEGIN SELECT RAISE(ABORT, 'reveal is append-only'); END",
        "CREATE TRIGGER reveal_no_delete BEFORE DELETE ON \"reveal\" BEGIN SELECT RAISE(ABORT, 'reveal is append-only'); END",
        'CREATE TRIGGER reveal_no_replace BEFORE INSERT ON "reveal" WHEN EXISTS (SELECT 1 FROM "reveal" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'reveal is append-only\'); END',
        "CREATE TRIGGER act_no_update BEFORE UPDATE ON \"act\" BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
        "CREATE TRIGGER act_no_delete BEFORE DELETE ON \"act\" BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
        'CREATE TRIGGER act_no_replace BEFORE INSERT ON "act" WHEN EXISTS (SELECT 1 FROM "act" WHERE "chain" = NEW."chain" AND "seq" = NEW."seq") BEGIN SELECT RAISE(ABORT, \'act is append-only\'); END',
        "CREATE TRIGGER act_in_order BEFORE INSERT ON act WHEN (SELECT size FROM chain WHERE name = NEW.chain) IS NOT NEW.seq BEGIN SELECT RAISE(ABORT, 'act is append-only: not the next of its chain'); END",
        "CREATE TRIGGER act_advances AFTER INSERT ON act BEGIN UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at WHERE name = NEW.chain; END",
        "CREATE TRIGGER dispensation_no_update BEFORE UPDATE ON \"dispensation\" BEGIN SELECT RAISE(ABORT, 'dispensation is append-only'); END",
        "CREATE TRIGGER dispensation_no_delete BEFORE DELETE ON \"dispensation\" BEGIN SELECT RAISE(ABORT, 'dispensation is append-only'); END",
        'CREATE TRIGGER dispensation_no_replace BEFORE INSERT ON "dispensation" WHEN EXISTS (SELECT 1 FROM "dispensation" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'dispensation is append-only\'); END',
        "CREATE TRIGGER allocation_no_update BEFORE UPDATE ON \"allocation\" BEGIN SELECT RAISE(ABORT, 'allocation is append-only'); END",
        "CREATE TRIGGER allocation_no_delete BEFORE DELETE ON \"allocation\" BEGIN SELECT RAISE(ABORT, 'allocation is append-only'); END",
        'CREATE TRIGGER allocation_no_replace BEFORE INSERT ON "allocation" WHEN EXISTS (SELECT 1 FROM "allocation" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'allocation is append-only\'); END',
        "CREATE TRIGGER allocation_takes_kits AFTER INSERT ON allocation BEGIN UPDATE kit SET state = 'assigned', participant = NEW.participant, visit = NEW.visit WHERE id IN (SELECT value FROM json_each(NEW.kits)); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "checkpoint" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER reveal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "reveal" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER act_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "act" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        "CREATE OR REPLACE FUNCTION advance_chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at WHERE name = NEW.chain AND size = NEW.seq; IF NOT FOUND THEN RAISE EXCEPTION USING MESSAGE = 'act is append-only: not the next of its chain', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER act_advances BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION advance_chain()",
        'CREATE TRIGGER dispensation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "dispensation" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER allocation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "allocation" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        "CREATE OR REPLACE FUNCTION take_kits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE kit SET state = 'assigned', participant = NEW.participant, visit = NEW.visit WHERE id IN (SELECT value::integer FROM json_array_elements_text(NEW.kits::json)); RETURN NEW; END $$",
        "CREATE TRIGGER allocation_takes_kits AFTER INSERT ON allocation FOR EACH ROW EXECUTE FUNCTION take_kits()",
    ),
}


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "chain",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chain")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "kit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=True),
        sa.Column("visit", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit")),
        sa.UniqueConstraint("number", name=op.f("uq_kit_number")),
        sa.UniqueConstraint("study", "sequence", name=op.f("uq_kit_study_sequence")),
    )
    with op.batch_alter_table("kit", schema=None) as batch_op:
        batch_op.create_index("ix_kit_participant", ["study", "participant"], unique=False)
        batch_op.create_index(
            "ix_kit_shelf", ["study", "site", "state", "sequence"], unique=False
        )

    op.create_table(
        "list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        sa.Column("spec_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("seed_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("seed_commitment", sa.String(length=64), nullable=False),
        sa.Column("spec_hash", sa.String(length=64), nullable=False),
        sa.Column("software", sa.String(length=40), nullable=False),
        sa.Column("generated_at", sa.DateTime(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.Column("activated_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'active', 'closed')", name=op.f("ck_list_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list")),
        sa.UniqueConstraint(
            "study", "environment", "version", name=op.f("uq_list_study_environment_version")
        ),
    )
    with op.batch_alter_table("list", schema=None) as batch_op:
        batch_op.create_index(
            "uq_list_active",
            ["study", "environment"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "reveal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("reason_class", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal")),
    )
    with op.batch_alter_table("reveal", schema=None) as batch_op:
        batch_op.create_index("ix_reveal_participant", ["study", "participant"], unique=False)

    op.create_table(
        "shelf",
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("study", "environment", name=op.f("pk_shelf")),
    )
    op.create_table(
        "act",
        sa.Column("chain", sa.String(length=120), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_act_seq_from_zero")),
        sa.ForeignKeyConstraint(["chain"], ["chain.name"], name=op.f("fk_act_chain")),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_act")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_act_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_key"), ["key"], unique=False)

    op.create_table(
        "dispensation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kit_id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f("fk_dispensation_kit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispensation")),
        sa.UniqueConstraint("kit_id", name=op.f("uq_dispensation_kit_id")),
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("random_number", sa.String(length=12), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_slot_position_from_one")),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_slot_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint(
            "list_id", "stratum", "position", name=op.f("uq_slot_list_id_stratum_position")
        ),
        sa.UniqueConstraint("study", "random_number", name=op.f("uq_slot_study_random_number")),
    )
    op.create_table(
        "stratum",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_stratum_list_id")),
        sa.PrimaryKeyConstraint("list_id", "name", name=op.f("pk_stratum")),
        sa.UniqueConstraint("list_id", "place", name=op.f("uq_stratum_list_id_place")),
    )
    op.create_table(
        "allocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.String(length=36), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("random_number", sa.String(length=12), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("kits", sa.String(length=400), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("receipt", sa.String(length=2000), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_allocation_list_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_allocation_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("list_id", "serial", name=op.f("uq_allocation_list_id_serial")),
        sa.UniqueConstraint(
            "list_id",
            "stratum",
            "position",
            name=op.f("uq_allocation_list_id_stratum_position"),
        ),
        sa.UniqueConstraint("slot_id", name=op.f("uq_allocation_slot_id")),
        sa.UniqueConstraint(
            "study", "participant", name=op.f("uq_allocation_study_participant")
        ),
        sa.UniqueConstraint(
            "study", "random_number", name=op.f("uq_allocation_study_random_number")
        ),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
