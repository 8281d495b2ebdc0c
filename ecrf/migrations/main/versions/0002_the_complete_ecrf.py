"""The complete eCRF."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER entry_locked_change BEFORE UPDATE OF answers, status, version ON entry WHEN (OLD.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = OLD.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))) AND (OLD.open_until IS NULL OR OLD.open_until <= NEW.saved_at) BEGIN SELECT RAISE(ABORT, 'entry is locked'); END",
        "CREATE TRIGGER entry_locked_new BEFORE INSERT ON entry WHEN (NEW.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = NEW.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))) AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.id = NEW.visit_id AND v.open_until > NEW.saved_at) BEGIN SELECT RAISE(ABORT, 'entry is locked'); END",
        "CREATE TRIGGER entry_locked_gone BEFORE DELETE ON entry WHEN (OLD.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = OLD.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))) BEGIN SELECT RAISE(ABORT, 'entry is locked'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_locked_entry() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE barred boolean; BEGIN IF TG_OP = 'UPDATE' THEN barred := (OLD.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = OLD.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))) AND (OLD.open_until IS NULL OR OLD.open_until <= NEW.saved_at); ELSIF TG_OP = 'INSERT' THEN barred := (NEW.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = NEW.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))) AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.id = NEW.visit_id AND v.open_until > NEW.saved_at); ELSE barred := (OLD.state = 'locked' OR EXISTS (SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study WHERE v.id = OLD.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state))); END IF; IF barred THEN RAISE EXCEPTION USING MESSAGE = 'entry is locked', ERRCODE = 'restrict_violation'; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER entry_locked BEFORE INSERT OR DELETE OR UPDATE OF answers, status, version ON entry FOR EACH ROW EXECUTE FUNCTION refuse_locked_entry()",
    ),
}


QUERIES_HAVE_A_PLACE = """
UPDATE query SET
    visit_id = (SELECT visit_id FROM entry WHERE entry.id = query.entry_id),
    form = (SELECT form FROM entry WHERE entry.id = query.entry_id),
    number = (SELECT number FROM entry WHERE entry.id = query.entry_id)
WHERE entry_id IS NOT NULL
"""


def upgrade() -> None:
    """Carry the change out."""
    op.create_table(
        "file_content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_content")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("leased_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_state", ["state", "id"], unique=False)
        batch_op.create_index("ix_job_study", ["study", "id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("right", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("text_en", sa.String(length=600), nullable=False),
        sa.Column("text_zh", sa.String(length=600), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_waiting", ["sent_at", "id"], unique=False)

    op.create_table(
        "laboratory_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("laboratory", sa.String(length=80), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_laboratory_mapping_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_laboratory_mapping")),
        sa.UniqueConstraint(
            "study", "laboratory", name=op.f("uq_laboratory_mapping_study_laboratory")
        ),
    )
    op.create_table(
        "pin",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=255), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pin_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pin")),
    )
    op.create_table(
        "quality_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("formula", sa.String(length=1000), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by"], ["person.id"], name=op.f("fk_quality_rule_made_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_rule")),
        sa.UniqueConstraint("study", "code", name=op.f("uq_quality_rule_study_code")),
    )
    op.create_table(
        "result_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("laboratory", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("staged_at", sa.DateTime(), nullable=False),
        sa.Column("staged_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('staged', 'accepting', 'accepted', 'dropped')",
            name=op.f("ck_result_file_status"),
        ),
        sa.ForeignKeyConstraint(
            ["staged_by"], ["person.id"], name=op.f("fk_result_file_staged_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_file")),
    )
    with op.batch_alter_table("result_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_result_file_sha256"), ["sha256"], unique=False)
        batch_op.create_index("ix_result_file_study", ["study", "id"], unique=False)

    op.create_table(
        "site_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("items", sa.String(length=64), nullable=False),
        sa.Column("otherwise", sa.String(length=64), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_site_plan_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_plan")),
        sa.UniqueConstraint("study", "site", "form", name=op.f("uq_site_plan_study_site_form")),
    )
    op.create_table(
        "unlock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("items", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("changed", sa.Integer(), nullable=True),
        sa.Column("summary", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "status IN ('asked', 'approved', 'refused', 'closed')",
            name=op.f("ck_unlock_status"),
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_unlock_two_people")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_unlock_asked_by")),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_unlock_closed_by")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_unlock_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unlock")),
    )
    with op.batch_alter_table("unlock", schema=None) as batch_op:
        batch_op.create_index("ix_unlock_study", ["study", "status"], unique=False)

    op.create_table(
        "waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=240), nullable=False),
        sa.Column("text_en", sa.String(length=600), nullable=False),
        sa.Column("text_zh", sa.String(length=600), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_waiver_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.create_index("ix_waiver_study", ["study", "mark"], unique=False)

    op.create_table(
        "lock_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("lock_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('asked', 'done', 'withdrawn')", name=op.f("ck_lock_request_status")
        ),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_lock_request_by")),
        sa.ForeignKeyConstraint(["lock_id"], ["lock.id"], name=op.f("fk_lock_request_lock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock_request")),
    )
    with op.batch_alter_table("lock_request", schema=None) as batch_op:
        batch_op.create_index("ix_lock_request_study", ["study", "status"], unique=False)

    op.create_table(
        "result_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("on", sa.String(length=40), nullable=False),
        sa.Column("old", sa.String(length=240), nullable=False),
        sa.Column("problem_en", sa.String(length=600), nullable=False),
        sa.Column("problem_zh", sa.String(length=600), nullable=False),
        sa.CheckConstraint(
            "status IN ('new', 'change', 'same', 'wrong', 'done', 'refused')",
            name=op.f("ck_result_row_status"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["result_file.id"], name=op.f("fk_result_row_file_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_row")),
        sa.UniqueConstraint("file_id", "line", name=op.f("uq_result_row_file_id_line")),
    )
    with op.batch_alter_table("result_row", schema=None) as batch_op:
        batch_op.create_index(
            "ix_result_row_status",
            ["file_id", "status", "code", "visit", "form", "line"],
            unique=False,
        )

    op.create_table(
        "site_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("ethics_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("put_at", sa.DateTime(), nullable=False),
        sa.Column("put_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["protocol_version.fingerprint"],
            name=op.f("fk_site_version_fingerprint"),
        ),
        sa.ForeignKeyConstraint(["put_by"], ["person.id"], name=op.f("fk_site_version_put_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_version")),
    )
    with op.batch_alter_table("site_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_site_version_site", ["study", "site", "effective_on"], unique=False
        )

    op.create_table(
        "range_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("print", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_range_edition_by")),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_range_edition_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_range_edition")),
    )
    with op.batch_alter_table("range_edition", schema=None) as batch_op:
        batch_op.create_index("ix_range_edition_study", ["study", "id"], unique=False)

    op.create_table(
        "reference_range",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("laboratory", sa.String(length=80), nullable=False),
        sa.Column("analyte", sa.String(length=64), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("age_from", sa.Integer(), nullable=True),
        sa.Column("age_to", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("low", sa.String(length=40), nullable=True),
        sa.Column("high", sa.String(length=40), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("added_in", sa.Integer(), nullable=False),
        sa.Column("retired_in", sa.Integer(), nullable=True),
        sa.CheckConstraint("sex IN ('', 'F', 'M')", name=op.f("ck_reference_range_sex")),
        sa.CheckConstraint(
            "low IS NOT NULL OR high IS NOT NULL", name=op.f("ck_reference_range_some_bound")
        ),
        sa.ForeignKeyConstraint(
            ["added_in"], ["range_edition.id"], name=op.f("fk_reference_range_added_in")
        ),
        sa.ForeignKeyConstraint(
            ["retired_in"], ["range_edition.id"], name=op.f("fk_reference_range_retired_in")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_range")),
    )
    with op.batch_alter_table("reference_range", schema=None) as batch_op:
        batch_op.create_index("ix_reference_range_study", ["study", "retired_in"], unique=False)

    op.create_table(
        "double_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'complete')", name=op.f("ck_double_copy_status")
        ),
        sa.CheckConstraint("seat IN (1, 2)", name=op.f("ck_double_copy_seat")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_double_copy_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_double_copy_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["protocol"], ["protocol_version.fingerprint"], name=op.f("fk_double_copy_protocol")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_double_copy_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_double_copy")),
        sa.UniqueConstraint(
            "visit_id",
            "form",
            "number",
            "person_id",
            name=op.f("uq_double_copy_visit_id_form_number_person_id"),
        ),
        sa.UniqueConstraint(
            "visit_id",
            "form",
            "number",
            "seat",
            name=op.f("uq_double_copy_visit_id_form_number_seat"),
        ),
    )
    with op.batch_alter_table("double_copy", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_double_copy_participant_id"), ["participant_id"], unique=False
        )

    op.create_table(
        "draft",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("typed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("kept_at", sa.DateTime(), nullable=False),
        sa.Column("there_until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draft_person_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_draft_visit_id")),
        sa.PrimaryKeyConstraint(
            "person_id", "visit_id", "form", "number", name=op.f("pk_draft")
        ),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_kept_at"), ["kept_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_visit_id"), ["visit_id"], unique=False)

    op.create_table(
        "file_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_file_version_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by"], ["person.id"], name=op.f("fk_file_version_sent_by")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["file_content.sha256"], name=op.f("fk_file_version_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_file_version_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_version")),
        sa.UniqueConstraint(
            "visit_id",
            "form",
            "number",
            "item",
            "sha256",
            "name",
            "sent_by",
            name=op.f("uq_file_version_visit_id_form_number_item_sha256_name_sent_by"),
        ),
    )
    with op.batch_alter_table("file_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_file_version_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_file_version_sha256", ["sha256"], unique=False)

    op.create_table(
        "adjudication_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("verdict", sa.String(length=1), nullable=True),
        sa.Column("organs", sa.String(length=400), nullable=True),
        sa.Column("event_on", sa.Date(), nullable=True),
        sa.CheckConstraint("verdict IN ('Y', 'N')", name=op.f("ck_adjudication_case_verdict")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_adjudication_case_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_adjudication_case_participant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudication_case")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_adjudication_case_entry_id")),
        sa.UniqueConstraint("study", "number", name=op.f("uq_adjudication_case_study_number")),
    )
    with op.batch_alter_table("adjudication_case", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_adjudication_case_participant_id"), ["participant_id"], unique=False
        )

    op.create_table(
        "quality_exclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_quality_exclusion_by")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_quality_exclusion_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_exclusion")),
        sa.UniqueConstraint(
            "entry_id", "item", "rule", name=op.f("uq_quality_exclusion_entry_id_item_rule")
        ),
    )
    with op.batch_alter_table("quality_exclusion", schema=None) as batch_op:
        batch_op.create_index("ix_quality_exclusion_study", ["study"], unique=False)

    op.create_table(
        "rejudged_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("old", sa.String(length=240), nullable=False),
        sa.Column("new", sa.String(length=240), nullable=False),
        sa.Column("old_flag", sa.String(length=1), nullable=False),
        sa.Column("new_flag", sa.String(length=1), nullable=False),
        sa.Column("old_grade", sa.String(length=4), nullable=False),
        sa.Column("new_grade", sa.String(length=4), nullable=False),
        sa.CheckConstraint(
            "status IN ('found', 'taken', 'left')", name=op.f("ck_rejudged_result_status")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_rejudged_result_entry_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_rejudged_result_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejudged_result")),
        sa.UniqueConstraint(
            "job_id", "entry_id", "item", name=op.f("uq_rejudged_result_job_id_entry_id_item")
        ),
    )
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_reminder_entry_id")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_reminder_participant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("entry_id", "rule", name=op.f("uq_reminder_entry_id_rule")),
    )
    with op.batch_alter_table("reminder", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reminder_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_reminder_study", ["study", "due_at", "id"], unique=False)

    op.create_table(
        "review_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.CheckConstraint("kind IN ('data', 'medical')", name=op.f("ck_review_mark_kind")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_review_mark_by")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_review_mark_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_mark")),
        sa.UniqueConstraint("entry_id", "kind", name=op.f("uq_review_mark_entry_id_kind")),
    )
    op.create_table(
        "safety_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("text_en", sa.String(length=600), nullable=False),
        sa.Column("text_zh", sa.String(length=600), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.Column("seen_by", sa.Integer(), nullable=True),
        sa.Column("comment", sa.String(length=1000), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'withdrawn')",
            name=op.f("ck_safety_alert_status"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_safety_alert_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_safety_alert_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["seen_by"], ["person.id"], name=op.f("fk_safety_alert_seen_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_alert")),
        sa.UniqueConstraint(
            "entry_id", "rule", "version", name=op.f("uq_safety_alert_entry_id_rule_version")
        ),
    )
    with op.batch_alter_table("safety_alert", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_safety_alert_participant_id"), ["participant_id"], unique=False
        )
        batch_op.create_index("ix_safety_alert_study", ["study", "status", "id"], unique=False)

    op.create_table(
        "adjudication_dossier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("raw_hash", sa.String(length=64), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("redactions", sa.JSON(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("site_date", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(), nullable=True),
        sa.Column("completed_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["adjudication_case.id"], name=op.f("fk_adjudication_dossier_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["completed_by"], ["person.id"], name=op.f("fk_adjudication_dossier_completed_by")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["person.id"], name=op.f("fk_adjudication_dossier_made_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudication_dossier")),
        sa.UniqueConstraint(
            "case_id", "version", name=op.f("uq_adjudication_dossier_case_id_version")
        ),
    )
    op.create_table(
        "adjudication_vote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("chair", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("assigned_at", sa.DateTime(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.Column("signed_at", sa.DateTime(), nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("query_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'draft', 'signed', 'ended')",
            name=op.f("ck_adjudication_vote_status"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["adjudication_case.id"], name=op.f("fk_adjudication_vote_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["dossier_id"],
            ["adjudication_dossier.id"],
            name=op.f("fk_adjudication_vote_dossier_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_adjudication_vote_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["query_id"], ["query.id"], name=op.f("fk_adjudication_vote_query_id")
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signature.id"], name=op.f("fk_adjudication_vote_signature_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudication_vote")),
        sa.UniqueConstraint(
            "case_id",
            "round",
            "person_id",
            name=op.f("uq_adjudication_vote_case_id_round_person_id"),
        ),
    )
    with op.batch_alter_table("adjudication_vote", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_adjudication_vote_person_id"), ["person_id"], unique=False
        )

    with op.batch_alter_table("deviation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("form", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("number", sa.Integer(), nullable=True))

    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("verified", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("open_until", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("open_items", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("lock", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reopened_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("manifest", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("query", schema=None) as batch_op:
        batch_op.add_column(sa.Column("visit_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("form", sa.String(length=64), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("number", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("answered_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("assigned_role", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("assigned_to", sa.Integer(), nullable=True))
        batch_op.alter_column("entry_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index("ix_query_place", ["visit_id", "form", "number"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_query_visit_id"), "visit", ["visit_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_query_assigned_to"), "person", ["assigned_to"], ["id"]
        )

    op.execute(QUERIES_HAVE_A_PLACE)

    with op.batch_alter_table("query_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("text_zh", sa.String(length=1000), nullable=True))
        batch_op.add_column(sa.Column("template", sa.String(length=64), nullable=True))

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signed_at", sa.DateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("wrong_pins", sa.Integer(), server_default="0", nullable=False)
        )

    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("asked", sa.String(length=400), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("spared", sa.String(length=400), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("open_until", sa.DateTime(), nullable=True))

    with op.batch_alter_table("query") as batch_op:
        batch_op.drop_constraint(op.f("ck_query_status"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_query_form_at_visit"), "form = '' OR visit_id IS NOT NULL"
        )
        batch_op.create_check_constraint(
            op.f("ck_query_status"), "status IN ('open', 'answered', 'closed', 'cancelled')"
        )

    with op.batch_alter_table("query") as batch_op:
        batch_op.alter_column("form", server_default=None)
        batch_op.alter_column("number", server_default=None)

    with op.batch_alter_table("sign_in") as batch_op:
        batch_op.alter_column("wrong_pins", server_default=None)

    with op.batch_alter_table("visit") as batch_op:
        batch_op.alter_column("asked", server_default=None)
        batch_op.alter_column("spared", server_default=None)
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
