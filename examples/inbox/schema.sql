-- The shop's own tables, in SQLite. docs/inbox.md has the inbox for PostgreSQL and MySQL.

-- One row for each message whose effect is committed.
CREATE TABLE inbox (
    id          TEXT PRIMARY KEY,                          -- the message's webhook-id
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP    -- by which old rows are deleted
);
CREATE INDEX inbox_by_time ON inbox (received_at);

CREATE TABLE shop_orders (
    no       TEXT PRIMARY KEY,
    payments INTEGER NOT NULL DEFAULT 0,                   -- an effect that happened twice would show here
    paid_fen INTEGER NOT NULL DEFAULT 0
);
