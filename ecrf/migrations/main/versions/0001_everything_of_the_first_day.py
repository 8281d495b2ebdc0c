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
        "CREATE TRIGGER act_no_update BEFORE UPDATE ON \"act\" BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
        "CREATE TRIGGER act_no_delete BEFORE DELETE ON \"act\" BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
        'CREATE TRIGGER act_no_replace BEFORE INSERT ON "act" WHEN EXISTS (SELECT 1 FROM "act" WHERE "chain" = NEW."chain" AND "seq" = NEW."seq") BEGIN SELECT RAISE(ABORT, \'act is append-only\'); END',
        "CREATE TRIGGER act_in_order BEFORE INSERT ON act WHEN (SELECT size FROM chain WHERE name = NEW.chain) IS NOT NEW.seq BEGIN SELECT RAISE(ABORT, 'act is append-only: not the next of its chain'); END",
        "CREATE TRIGGER act_advances AFTER INSERT ON act BEGIN UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at WHERE name = NEW.chain; END",
        "CREATE TRIGGER signature_no_update BEFORE UPDATE ON \"signature\" BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END",
        "CREATE TRIGGER signature_no_delete BEFORE DELETE ON \"signature\" BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END",
        'CREATE TRIGGER signature_no_replace BEFORE INSERT ON "signature" WHEN EXISTS (SELECT 1 FROM "signature" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'signature is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "checkpoint" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER act_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "act" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        "CREATE OR REPLACE FUNCTION advance_chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at WHERE name = NEW.chain AND size = NEW.seq; IF NOT FOUND THEN RAISE EXCEPTION USING MESSAGE = 'act is append-only: not the next of its chain', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER act_advances BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION advance_chain()",
        'CREATE TRIGGER signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "signature" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
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
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(
            "uq_person_username_lower", [sa.literal_column("lower(username)")], unique=True
        )

    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'frozen', 'locked')", name=op.f("ck_site_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("study", "code", name=op.f("uq_site_study_code")),
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
        "grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_grant_ends_after_start")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_grant_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_person_id"), ["person_id"], unique=False)

    op.create_table(
        "lock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_lock_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock")),
    )
    op.create_table(
        "protocol_version",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("first_by", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("second_by", sa.Integer(), nullable=True),
        sa.Column("second_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["first_by"], ["person.id"], name=op.f("fk_protocol_version_first_by")
        ),
        sa.ForeignKeyConstraint(
            ["second_by"], ["person.id"], name=op.f("fk_protocol_version_second_by")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_protocol_version")),
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("printed_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("meaning_en", sa.String(length=400), nullable=False),
        sa.Column("meaning_zh", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_signature_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
    )
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.create_index("ix_signature_target", ["target"], unique=False)

    op.create_table(
        "study",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"], ["protocol_version.fingerprint"], name=op.f("fk_study_fingerprint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("protocol", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(), nullable=False),
        sa.Column("enrolled_by", sa.Integer(), nullable=False),
        sa.Column("randomized_on", sa.Date(), nullable=True),
        sa.Column("random_number", sa.String(length=64), nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.Column("unblinded_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'frozen', 'locked')", name=op.f("ck_participant_state")
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_by"], ["person.id"], name=op.f("fk_participant_enrolled_by")
        ),
        sa.ForeignKeyConstraint(
            ["protocol"], ["protocol_version.fingerprint"], name=op.f("fk_participant_protocol")
        ),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_participant_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("study", "code", name=op.f("uq_participant_study_code")),
        sa.UniqueConstraint(
            "study", "random_number", name=op.f("uq_participant_study_random_number")
        ),
    )
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.create_index("ix_participant_study_site", ["study", "site"], unique=False)

    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("target", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("missed_reason", sa.String(length=400), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'frozen', 'locked')", name=op.f("ck_visit_state")
        ),
        sa.CheckConstraint(
            "status IN ('planned', 'held', 'missed')", name=op.f("ck_visit_status")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_visit_participant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("participant_id", "key", name=op.f("uq_visit_participant_id_key")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_visit_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_visit_study_due", ["study", "due"], unique=False)

    op.create_table(
        "deviation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("text_en", sa.String(length=400), nullable=False),
        sa.Column("text_zh", sa.String(length=400), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_deviation_participant_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_deviation_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation")),
    )
    with op.batch_alter_table("deviation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deviation_participant_id"), ["participant_id"], unique=False
        )

    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.Column("signed_version", sa.Integer(), nullable=True),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.Column("saved_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'frozen', 'locked')", name=op.f("ck_entry_state")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'complete', 'not done')", name=op.f("ck_entry_status")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_entry_number_from_one")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_entry_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["protocol"], ["protocol_version.fingerprint"], name=op.f("fk_entry_protocol")
        ),
        sa.ForeignKeyConstraint(["saved_by"], ["person.id"], name=op.f("fk_entry_saved_by")),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_entry_signature_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_entry_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint(
            "visit_id", "form", "number", name=op.f("uq_entry_visit_id_form_number")
        ),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index("ix_entry_participant", ["participant_id"], unique=False)

    op.create_table(
        "kit_given",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_kit_given_participant_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_kit_given_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_given")),
        sa.UniqueConstraint("number", name=op.f("uq_kit_given_number")),
    )
    with op.batch_alter_table("kit_given", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_kit_given_participant_id"), ["participant_id"], unique=False
        )

    op.create_table(
        "query",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("text_en", sa.String(length=600), nullable=False),
        sa.Column("text_zh", sa.String(length=600), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'answered', 'closed')", name=op.f("ck_query_status")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_query_entry_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_query_opened_by")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_query_participant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
        sa.UniqueConstraint(
            "entry_id",
            "item",
            "rule",
            "serial",
            name=op.f("uq_query_entry_id_item_rule_serial"),
        ),
    )
    with op.batch_alter_table("query", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_query_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_query_study_status", ["study", "status", "id"], unique=False)

    op.create_table(
        "query_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("query_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["query_id"], ["query.id"], name=op.f("fk_query_message_query_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query_message")),
    )
    with op.batch_alter_table("query_message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_query_message_query_id"), ["query_id"], unique=False
        )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
