"""What a database holds, as PostgreSQL spells it, so that two databases can be compared."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OURS = "relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"

COLUMNS = f"""
    SELECT 'column ' || relname || '.' || attname,
           concat_ws(' ', format_type(atttypid, atttypmod), collname, CASE WHEN attnotnull THEN 'NOT NULL' END,
                     CASE attgenerated WHEN 's' THEN 'STORED' END, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE {OURS} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
"""
# From version 18 on PostgreSQL lists NOT NULL here too; the columns tell of it already.
CONSTRAINTS = f"""
    SELECT 'constraint ' || relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE {OURS} AND contype <> 'n'
"""
INDEXES = f"""
    SELECT 'index ' || relname, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE {OURS} AND indrelid <> coalesce(to_regclass('alembic_version'), 0)
"""
TRIGGERS = f"""
    SELECT 'trigger ' || relname || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE {OURS} AND NOT tgisinternal
"""
FUNCTIONS = """
    SELECT 'function ' || proname, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
STATISTICS = """
    SELECT 'statistics ' || stxname, pg_get_statisticsobjdef(oid)
    FROM pg_statistic_ext WHERE stxnamespace = 'public'::regnamespace
"""


async def tables_of(connection: AsyncConnection) -> dict[str, str]:
    """Tell all that the models can say: columns, constraints, indexes."""
    return await _told(connection, COLUMNS, CONSTRAINTS, INDEXES)


async def schema_of(connection: AsyncConnection) -> dict[str, str]:
    """Tell all that a migration can make."""
    return await _told(connection, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS, STATISTICS)


async def _told(connection: AsyncConnection, *questions: str) -> dict[str, str]:
    rows = await connection.execute(text(" UNION ALL ".join(questions)))
    return dict(sorted((name, told) for name, told in rows))
