"""Does the main database answer? What the vault app does when it does not."""

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from ecrf.kernel.db import Database
from ecrf.study.tables import StudyRow


def answers(database: Database) -> bool:
    """Say whether the main database can be read now."""
    try:
        with database.read() as session:
            session.execute(select(StudyRow.id).limit(1)).all()
    except DBAPIError:
        return False
    return True
