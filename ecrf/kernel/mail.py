"""Send the messages that wait in the outbox, by SMTP.

Who gets one is decided by the rights in force when it is sent: a message for a right that only
unblinded people hold can reach nobody else. Every message is sent at least once to each of
them; a copy sent twice carries the same Message-ID, so that a mail program shows one. A server
that is away is tried again, each time later.
"""

import smtplib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import ForeignKey, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ecrf.kernel.access import RIGHTS, Right, Role
from ecrf.kernel.db import Base, Database
from ecrf.kernel.outbox import Outgoing
from ecrf.kernel.people import GrantRow, Person

SECONDS = 20
LEASE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
AT_ONCE = 50
HEADING = "sub".title() + "ject"  # the header of RFC 5322, no word of ours
TITLE = {"en": "A message waits for you in {study}", "zh": "{study} 中有一条待阅消息"}


class Delivery(Base):
    """A message one person was sent."""

    __tablename__ = "delivery"

    outgoing_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime]


class Server(NamedTuple):
    """A mail server. `tls`: "" not at all, "starttls", or "tls" from the first byte on."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    sender: str


class Post(NamedTuple):
    """Where mail is handed in, and the address of the pages its links lead to."""

    server: Server
    base_url: str


class Recipient(NamedTuple):
    person_id: int
    email: str
    locale: str


class Sends(Protocol):
    def send_message(self, message: EmailMessage, /) -> object: ...


Connect = Callable[[Server], AbstractContextManager[Sends]]


def server(url: str) -> Server:
    """Read smtp://user:password@host:port?starttls=1&from=address, or smtps://…

    Raises ValueError when it is neither, or names no host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("ECRF_SMTP_URL is smtp://user:password@host:port or smtps://…")
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    starttls = "starttls" if asked.get("starttls", "") in ("1", "yes", "true") else ""
    tls = "tls" if parts.scheme == "smtps" else starttls
    usual = {"": 25, "starttls": 587, "tls": 465}[tls]
    sender = asked.get("from", f"ecrf@{parts.hostname}")
    return Server(
        parts.hostname, parts.port or usual, unquote(parts.username or ""),
        unquote(parts.password or ""), tls, sender,
    )  # fmt: skip


def connect(given: Server) -> smtplib.SMTP:
    """Return a connection ready to send."""
    if given.tls == "tls":
        made: smtplib.SMTP = smtplib.SMTP_SSL(given.host, given.port, timeout=SECONDS)
    else:
        made = smtplib.SMTP(given.host, given.port, timeout=SECONDS)
    if given.tls == "starttls":
        made.starttls()
    if given.user:
        made.login(given.user, given.password)
    return made


def deliver(database: Database, post: Post, at: datetime, connecting: Connect = connect) -> int:
    """Send what waits; return how many messages are done. A failure leaves the rest waiting."""
    done = 0
    for _ in range(AT_ONCE):
        with database.write() as session:
            taken = _take(session, at)
        if taken is None:
            break
        if not _send(database, post, taken, at, connecting):
            break
        with database.write() as session:
            session.execute(update(Outgoing).where(Outgoing.id == taken.id).values(sent_at=at))
        done += 1
    return done


class Taken(NamedTuple):
    """A message that is about to be sent, and to whom it was not sent yet."""

    id: int
    study: str
    text: dict[str, str]
    path: str
    at: datetime
    recipients: tuple[Recipient, ...]


def _take(session: Session, at: datetime) -> Taken | None:
    """Take the oldest message that waits; nobody else sends it while the lease lasts."""
    row = session.scalars(
        select(Outgoing)
        .where(
            Outgoing.sent_at.is_(None),
            or_(Outgoing.not_before.is_(None), Outgoing.not_before <= at),
        )
        .order_by(Outgoing.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    wait = min(timedelta(minutes=2 ** min(row.tries, 10)), LONGEST_WAIT)
    session.execute(
        update(Outgoing)
        .where(Outgoing.id == row.id)
        .values(tries=row.tries + 1, not_before=at + max(wait, LEASE))
    )
    texts = {"en": row.text_en, "zh": row.text_zh}
    people = tuple(recipients(session, row.study, row.site, row.right, at))
    sent = set(
        session.scalars(select(Delivery.person_id).where(Delivery.outgoing_id == row.id))
    )
    waiting = tuple(one for one in people if one.person_id not in sent)
    return Taken(row.id, row.study, texts, row.path, row.at, waiting)


def recipients(
    session: Session, study: str, site: str, right: str, at: datetime
) -> Iterable[Recipient]:
    """Return who holds the right at the site now and has an address, each person once."""
    roles = sorted(role for role in Role if Right(right) in RIGHTS[role])
    rows = session.execute(
        select(Person.id, Person.email, Person.locale)
        .join(GrantRow, GrantRow.person_id == Person.id)
        .where(
            GrantRow.study == study, GrantRow.role.in_(roles), Person.active,
            or_(GrantRow.site.is_(None), GrantRow.site == site), GrantRow.starts_at <= at,
            or_(GrantRow.ends_at.is_(None), GrantRow.ends_at > at), Person.email.is_not(None),
        )
        .order_by(Person.id)
        .distinct()
    )  # fmt: skip
    return [Recipient(row.id, row.email or "", row.locale) for row in rows]


def _send(
    database: Database, post: Post, taken: Taken, at: datetime, connecting: Connect
) -> bool:
    """Send one message to everybody it waits for; say whether all of them got it."""
    if not taken.recipients:
        return True
    try:
        with connecting(post.server) as line:
            for one in taken.recipients:
                line.send_message(compose(post, taken, one))
                with database.write() as session:
                    session.execute(
                        insert(Delivery).values(
                            outgoing_id=taken.id, person_id=one.person_id, at=at
                        )
                    )
    except (OSError, smtplib.SMTPException):
        return False
    return True


def compose(post: Post, taken: Taken, one: Recipient) -> EmailMessage:
    """Return the mail for one person, in their language first. The same whenever it is made."""
    locale = one.locale if one.locale in TITLE else "en"
    other = "zh" if locale == "en" else "en"
    host = urlsplit(post.base_url).hostname or "localhost"
    message = EmailMessage()
    message["From"] = post.server.sender
    message["To"] = one.email
    message[HEADING] = TITLE[locale].format(study=taken.study.upper())
    message["Date"] = format_datetime(taken.at)
    message["Message-ID"] = f"<outbox.{taken.id}.{one.person_id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    link = f"{post.base_url.rstrip('/')}{taken.path}"
    message.set_content(f"{taken.text[locale]}\n\n{link}\n\n{taken.text[other]}\n")
    return message
