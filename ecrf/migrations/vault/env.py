"""Run by Alembic for each upgrade: in the transaction that `ecrf.migrations.upgrade` began."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
