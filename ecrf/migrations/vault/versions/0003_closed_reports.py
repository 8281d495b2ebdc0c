"""Closed reports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER closed_report_no_update BEFORE UPDATE ON \"closed_report\" BEGIN SELECT RAISE(ABORT, 'closed_report is append-only'); END",
        "CREATE TRIGGER closed_report_no_delete BEFORE DELETE ON \"closed_report\" BEGIN SELECT RAISE(ABORT, 'closed_report is append-only'); END",
        'CREATE TRIGGER closed_report_no_replace BEFORE INSERT ON "closed_report" WHEN EXISTS (SELECT 1 FROM "closed_report" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, \'closed_report is append-only\'); END',
        "CREATE TRIGGER closed_release_no_update BEFORE UPDATE ON \"closed_release\" BEGIN SELECT RAISE(ABORT, 'closed_release is append-only'); END",
        "CREATE TRIGGER closed_release_no_delete BEFORE DELETE ON \"closed_release\" BEGIN SELECT RAISE(ABORT, 'closed_release is append-only'); END",
        'CREATE TRIGGER closed_release_no_replace BEFORE INSERT ON "closed_release" WHEN EXISTS (SELECT 1 FROM "closed_release" WHERE "report_id" = NEW."report_id") BEGIN SELECT RAISE(ABORT, \'closed_release is append-only\'); END',
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RAISE EXCEPTION USING\n        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';\nEND $$",
        'CREATE TRIGGER closed_report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "closed_report" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        'CREATE TRIGGER closed_release_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "closed_release" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
    ),
}


def upgrade() -> None:
    """Carry the change out."""
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
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
