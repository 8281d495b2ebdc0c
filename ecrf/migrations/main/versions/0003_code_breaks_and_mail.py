"""Code breaks and mail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


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

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("tries", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("not_before", sa.DateTime(), nullable=True))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=200), nullable=True))

    with op.batch_alter_table("outbox") as batch_op:
        batch_op.alter_column("tries", server_default=None)
