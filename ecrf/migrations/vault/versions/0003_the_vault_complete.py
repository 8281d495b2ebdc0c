"""The vault complete."""

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
        "CREATE TRIGGER closed_report_no_update BEFORE UPDATE ON \"closed_report\" BEGIN SELECT RAISE(ABORT, 'closed_report is append-only'); END",
        "CREATE TRIGGER closed_report_no_delete BEFORE DELETE ON \"closed_report\" BEGIN SELECT RAISE(ABORT, 'closed_report is append-only'); END",
        'CREATE TRIGGER closed_report_no_replace BEFORE INSERT ON "closed_report" WHEN EXISTS (SELECT 1 FROM "closed_report" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'closed_report is append-only\'); END',
        "CREATE TRIGGER dose_hold_no_update BEFORE UPDATE ON \"dose_hold\" BEGIN SELECT RAISE(ABORT, 'dose_hold is append-only'); END",
        "CREATE TRIGGER dose_hold_no_delete BEFORE DELETE ON \"dose_hold\" BEGIN SELECT RAISE(ABORT, 'dose_hold is append-only'); END",
        'CREATE TRIGGER dose_hold_no_replace BEFORE INSERT ON "dose_hold" WHEN EXISTS (SELECT 1 FROM "dose_hold" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'dose_hold is append-only\'); END',
        "CREATE TRIGGER forcing_no_update BEFORE UPDATE ON \"forcing\" BEGIN SELECT RAISE(ABORT, 'forcing is append-only'); END",
        "CREATE TRIGGER forcing_no_delete BEFORE DELETE ON \"forcing\" BEGIN SELECT RAISE(ABORT, 'forcing is append-only'); END",
        'CREATE TRIGGER forcing_no_replace BEFORE INSERT ON "forcing" WHEN EXISTS (SELECT 1 FROM "forcing" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'forcing is append-only\'); END',
        "CREATE TRIGGER incident_no_update BEFORE UPDATE ON \"incident\" BEGIN SELECT RAISE(ABORT, 'incident is append-only'); END",
        "CREATE TRIGGER incident_no_delete BEFORE DELETE ON \"incident\" BEGIN SELECT RAISE(ABORT, 'incident is append-only'); END",
        'CREATE TRIGGER incident_no_replace BEFORE INSERT ON "incident" WHEN EXISTS (SELECT 1 FROM "incident" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'incident is append-only\'); END',
        "CREATE TRIGGER offline_pack_no_update BEFORE UPDATE ON \"offline_pack\" BEGIN SELECT RAISE(ABORT, 'offline_pack is append-only'); END",
        "CREATE TRIGGER offline_pack_no_delete BEFORE DELETE ON \"offline_pack\" BEGIN SELECT RAISE(ABORT, 'offline_pack is append-only'); END",
        'CREATE TRIGGER offline_pack_no_replace BEFORE INSERT ON "offline_pack" WHEN EXISTS (SELECT 1 FROM "offline_pack" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'offline_pack is append-only\'); END',
        "CREATE TRIGGER break_call_no_update BEFORE UPDATE ON \"break_call\" BEGIN SELECT RAISE(ABORT, 'break_call is append-only'); END",
        "CREATE TRIGGER break_call_no_delete BEFORE DELETE ON \"break_call\" BEGIN SELECT RAISE(ABORT, 'break_call is append-only'); END",
        'CREATE TRIGGER break_call_no_replace BEFORE INSERT ON "break_call" WHEN EXISTS (SELECT 1 FROM "break_call" WHERE "reveal_id" = NEW."reveal_id") BEGIN SELECT RAISE(ABORT, \'break_call is append-only\'); END',
        "CREATE TRIGGER card_seen_no_update BEFORE UPDATE ON \"card_seen\" BEGIN SELECT RAISE(ABORT, 'card_seen is append-only'); END",
        "CREATE TRIGGER card_seen_no_delete BEFORE DELETE ON \"card_seen\" BEGIN SELECT RAISE(ABORT, 'card_seen is append-only'); END",
        'CREATE TRIGGER card_seen_no_replace BEFORE INSERT ON "card_seen" WHEN EXISTS (SELECT 1 FROM "card_seen" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'card_seen is append-only\'); END',
        "CREATE TRIGGER ceremony_step_no_update BEFORE UPDATE ON \"ceremony_step\" BEGIN SELECT RAISE(ABORT, 'ceremony_step is append-only'); END",
        "CREATE TRIGGER ceremony_step_no_delete BEFORE DELETE ON \"ceremony_step\" BEGIN SELECT RAISE(ABORT, 'ceremony_step is append-only'); END",
        'CREATE TRIGGER ceremony_step_no_replace BEFORE INSERT ON "ceremony_step" WHEN EXISTS (SELECT 1 FROM "ceremony_step" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'ceremony_step is append-only\'); END',
        "CREATE TRIGGER closed_release_no_update BEFORE UPDATE ON \"closed_release\" BEGIN SELECT RAISE(ABORT, 'closed_release is append-only'); END",
        "CREATE TRIGGER closed_release_no_delete BEFORE DELETE ON \"closed_release\" BEGIN SELECT RAISE(ABORT, 'closed_release is append-only'); END",
        'CREATE TRIGGER closed_release_no_replace BEFORE INSERT ON "closed_release" WHEN EXISTS (SELECT 1 FROM "closed_release" WHERE "report_id" = NEW."report_id") BEGIN SELECT RAISE(ABORT, \'closed_release is append-only\'); END',
        "CREATE TRIGGER component_no_update BEFORE UPDATE ON \"component\" BEGIN SELECT RAISE(ABORT, 'component is append-only'); END",
        "CREATE TRIGGER component_no_delete BEFORE DELETE ON \"component\" BEGIN SELECT RAISE(ABORT, 'component is append-only'); END",
        'CREATE TRIGGER component_no_replace BEFORE INSERT ON "component" WHEN EXISTS (SELECT 1 FROM "component" WHERE "batch_id" = NEW."batch_id" AND "place" = NEW."place") BEGIN SELECT RAISE(ABORT, \'component is append-only\'); END',
        "CREATE TRIGGER extension_no_update BEFORE UPDATE ON \"extension\" BEGIN SELECT RAISE(ABORT, 'extension is append-only'); END",
        "CREATE TRIGGER extension_no_delete BEFORE DELETE ON \"extension\" BEGIN SELECT RAISE(ABORT, 'extension is append-only'); END",
        'CREATE TRIGGER extension_no_replace BEFORE INSERT ON "extension" WHEN EXISTS (SELECT 1 FROM "extension" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'extension is append-only\'); END',
        "CREATE TRIGGER forcing_settled_no_update BEFORE UPDATE ON \"forcing_settled\" BEGIN SELECT RAISE(ABORT, 'forcing_settled is append-only'); END",
        "CREATE TRIGGER forcing_settled_no_delete BEFORE DELETE ON \"forcing_settled\" BEGIN SELECT RAISE(ABORT, 'forcing_settled is append-only'); END",
        'CREATE TRIGGER forcing_settled_no_replace BEFORE INSERT ON "forcing_settled" WHEN EXISTS (SELECT 1 FROM "forcing_settled" WHERE "forcing_id" = NEW."forcing_id") BEGIN SELECT RAISE(ABORT, \'forcing_settled is append-only\'); END',
        "CREATE TRIGGER incident_note_no_update BEFORE UPDATE ON \"incident_note\" BEGIN SELECT RAISE(ABORT, 'incident_note is append-only'); END",
        "CREATE TRIGGER incident_note_no_delete BEFORE DELETE ON \"incident_note\" BEGIN SELECT RAISE(ABORT, 'incident_note is append-only'); END",
        'CREATE TRIGGER incident_note_no_replace BEFORE INSERT ON "incident_note" WHEN EXISTS (SELECT 1 FROM "incident_note" WHERE "incident_id" = NEW."incident_id" AND "kind" = NEW."kind") BEGIN SELECT RAISE(ABORT, \'incident_note is append-only\'); END',
        "CREATE TRIGGER offline_card_no_update BEFORE UPDATE ON \"offline_card\" BEGIN SELECT RAISE(ABORT, 'offline_card is append-only'); END",
        "CREATE TRIGGER offline_card_no_delete BEFORE DELETE ON \"offline_card\" BEGIN SELECT RAISE(ABORT, 'offline_card is append-only'); END",
        'CREATE TRIGGER offline_card_no_replace BEFORE INSERT ON "offline_card" WHEN EXISTS (SELECT 1 FROM "offline_card" WHERE "pack_id" = NEW."pack_id" AND "number" = NEW."number") BEGIN SELECT RAISE(ABORT, \'offline_card is append-only\'); END',
        "CREATE TRIGGER break_carried_no_update BEFORE UPDATE ON \"break_carried\" BEGIN SELECT RAISE(ABORT, 'break_carried is append-only'); END",
        "CREATE TRIGGER break_carried_no_delete BEFORE DELETE ON \"break_carried\" BEGIN SELECT RAISE(ABORT, 'break_carried is append-only'); END",
        'CREATE TRIGGER break_carried_no_replace BEFORE INSERT ON "break_carried" WHEN EXISTS (SELECT 1 FROM "break_carried" WHERE "call_id" = NEW."call_id") BEGIN SELECT RAISE(ABORT, \'break_carried is append-only\'); END',
        "CREATE TRIGGER break_opened_no_update BEFORE UPDATE ON \"break_opened\" BEGIN SELECT RAISE(ABORT, 'break_opened is append-only'); END",
        "CREATE TRIGGER break_opened_no_delete BEFORE DELETE ON \"break_opened\" BEGIN SELECT RAISE(ABORT, 'break_opened is append-only'); END",
        'CREATE TRIGGER break_opened_no_replace BEFORE INSERT ON "break_opened" WHEN EXISTS (SELECT 1 FROM "break_opened" WHERE "call_id" = NEW."call_id") BEGIN SELECT RAISE(ABORT, \'break_opened is append-only\'); END',
        "CREATE TRIGGER dispensation_check_no_update BEFORE UPDATE ON \"dispensation_check\" BEGIN SELECT RAISE(ABORT, 'dispensation_check is append-only'); END",
        "CREATE TRIGGER dispensation_check_no_delete BEFORE DELETE ON \"dispensation_check\" BEGIN SELECT RAISE(ABORT, 'dispensation_check is append-only'); END",
        'CREATE TRIGGER dispensation_check_no_replace BEFORE INSERT ON "dispensation_check" WHEN EXISTS (SELECT 1 FROM "dispensation_check" WHERE "kit_id" = NEW."kit_id") BEGIN SELECT RAISE(ABORT, \'dispensation_check is append-only\'); END',
        "CREATE TRIGGER draw_no_update BEFORE UPDATE ON \"draw\" BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        "CREATE TRIGGER draw_no_delete BEFORE DELETE ON \"draw\" BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        'CREATE TRIGGER draw_no_replace BEFORE INSERT ON "draw" WHEN EXISTS (SELECT 1 FROM "draw" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'draw is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER ceremony_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ceremony" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER closed_report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "closed_report" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER dose_hold_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "dose_hold" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER forcing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "forcing" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER incident_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "incident" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER offline_pack_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "offline_pack" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_call_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_call" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER card_seen_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "card_seen" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER ceremony_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ceremony_step" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER closed_release_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "closed_release" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER component_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "component" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER extension_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "extension" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER forcing_settled_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "forcing_settled" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER incident_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "incident_note" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER offline_card_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "offline_card" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_carried_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_carried" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER break_opened_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "break_opened" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER dispensation_check_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "dispensation_check" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER draw_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "draw" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
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
        "closed_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cut_off", sa.Date(), nullable=False),
        sa.Column("labels", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=400), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("list_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("codes_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "labels IN ('coded', 'named')", name=op.f("ck_closed_report_labels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_report")),
        sa.UniqueConstraint(
            "study",
            "environment",
            "number",
            name=op.f("uq_closed_report_study_environment_number"),
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
        "guess",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guess")),
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
    op.create_table(
        "closed_release",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["closed_report.id"], name=op.f("fk_closed_release_report_id")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_closed_release")),
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
    # Kits from before there were batches keep the earliest expiry any of them was given.
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
