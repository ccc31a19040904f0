-- Schema version 2: endpoints, and what is due to them. Never edited after a release; a change is a further file.

-- Where messages go.
CREATE TABLE endpoint (
  id            INTEGER PRIMARY KEY,  -- never given again: the row stays when the endpoint is removed
  name          TEXT,                 -- how the merchant calls it; none once it is removed
  url           TEXT    NOT NULL,
  kinds         TEXT    NOT NULL,     -- which messages it wants (JSON, a list of patterns)
  ordered       INTEGER NOT NULL,     -- 1: an order's messages one at a time, in their sequence
  settings      TEXT    NOT NULL,     -- how it is called (JSON)
  sealed        BLOB    NOT NULL,     -- secrets and headers, encrypted by the server
  state         INTEGER NOT NULL,     -- 0 enabled, 1 disabled by somebody, 2 gone (410), 3 failed for too long, 4 removed
  state_since   INTEGER NOT NULL,
  failing_since INTEGER,              -- since when no call succeeded, if the last ones failed
  fanned_out    INTEGER NOT NULL,     -- the cursor: the last position that was looked at for it
  CONSTRAINT endpoint_name_once UNIQUE (name)
) STRICT;

-- A message that is due to an endpoint. Goes when it is delivered.
CREATE TABLE delivery (
  endpoint_id INTEGER NOT NULL,            -- endpoint.id
  position    INTEGER NOT NULL,            -- message.position
  order_id    INTEGER,                     -- as the message has it
  sequence    INTEGER,                     -- as the message has it
  attempts    INTEGER NOT NULL,            -- how many were made
  due_at      INTEGER NOT NULL,            -- when the next one is due; while it is taken, until when no one else gets it
  state       INTEGER NOT NULL,            -- 0 pending, 1 exhausted
  taken_by    TEXT,                        -- who makes the next attempt at present
  token       INTEGER NOT NULL DEFAULT 0,  -- counts the takers
  CONSTRAINT delivery_once PRIMARY KEY (endpoint_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (endpoint_id, state, due_at, position);
CREATE INDEX delivery_of_order ON delivery (endpoint_id, order_id, sequence) WHERE order_id IS NOT NULL;

-- Attempts that were made, also of what is delivered. Kept for a while.
CREATE TABLE attempt (
  id          INTEGER PRIMARY KEY,
  endpoint_id INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  number      INTEGER NOT NULL,  -- among the attempts of the delivery, from 1
  begun_at    INTEGER NOT NULL,
  took_ms     INTEGER NOT NULL,
  status      INTEGER,           -- the answer's status; none if there was no answer
  fault       TEXT,              -- why there was none: timed_out …
  headers     TEXT    NOT NULL,  -- the answer's, one a line
  body        BLOB    NOT NULL   -- its beginning
) STRICT;
CREATE INDEX attempt_of_message ON attempt (position, endpoint_id);
