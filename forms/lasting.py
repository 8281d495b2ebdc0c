"""What the database itself refuses of locked entries, whoever asks: the second line of defence.

An entry is locked by its own state or that of anything above it, unless it, or the visit it is
begun at, is unlocked until after the moment of saving. The services refuse first and say why.
"""

from sqlalchemy import Table

from ecrf.kernel.append_only import defend

ABOVE = (
    "SELECT 1 FROM visit v JOIN participant p ON p.id = v.participant_id"
    " JOIN site s ON s.study = p.study AND s.code = p.site JOIN study t ON t.id = p.study"
    " WHERE v.id = {row}.visit_id AND 'locked' IN (v.state, p.state, s.state, t.state)"
)
BEGUN = "SELECT 1 FROM visit v WHERE v.id = NEW.visit_id AND v.open_until > NEW.saved_at"
LOCKED = f"({{row}}.state = 'locked' OR EXISTS ({ABOVE}))"
CHANGED = (
    f"{LOCKED.format(row='OLD')} AND (OLD.open_until IS NULL OR OLD.open_until <= NEW.saved_at)"
)
ADDED = f"{LOCKED.format(row='NEW')} AND NOT EXISTS ({BEGUN})"
GONE = LOCKED.format(row="OLD")
COLUMNS = "answers, status, version"
REFUSE = "BEGIN SELECT RAISE(ABORT, 'entry is locked'); END"
SQLITE = (
    (
        f"CREATE TRIGGER entry_locked_change BEFORE UPDATE OF {COLUMNS} ON entry"
        f" WHEN {CHANGED} {REFUSE}"
    ),
    f"CREATE TRIGGER entry_locked_new BEFORE INSERT ON entry WHEN {ADDED} {REFUSE}",
    f"CREATE TRIGGER entry_locked_gone BEFORE DELETE ON entry WHEN {GONE} {REFUSE}",
)
POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION refuse_locked_entry() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ DECLARE barred boolean;"
        f" BEGIN IF TG_OP = 'UPDATE' THEN barred := {CHANGED};"
        f" ELSIF TG_OP = 'INSERT' THEN barred := {ADDED}; ELSE barred := {GONE}; END IF;"
        " IF barred THEN RAISE EXCEPTION USING MESSAGE = 'entry is locked',"
        " ERRCODE = 'restrict_violation'; END IF;"
        " IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    ),
    (
        f"CREATE TRIGGER entry_locked BEFORE INSERT OR DELETE OR UPDATE OF {COLUMNS} ON entry"
        " FOR EACH ROW EXECUTE FUNCTION refuse_locked_entry()"
    ),
)


def shut(table: Table) -> None:
    """Have the database refuse to change, add or remove entries under a lock."""
    defend(table, SQLITE, POSTGRESQL)
