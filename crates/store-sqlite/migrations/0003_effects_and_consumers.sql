-- Schema version 3: effects that failed, and how far consumers have read. Never edited after a release; a change is a
-- further file.

-- What failed for a message whose fact is therefore not applied. Whether it was applied since, the other tables say.
CREATE TABLE effect_failure (
  id              INTEGER PRIMARY KEY,
  effect          TEXT    NOT NULL,  -- its name
  subject         TEXT    NOT NULL,  -- what the message is about: payment:…, event:… or order:…
  kind            TEXT    NOT NULL,  -- the message's
  mchid           TEXT    NOT NULL,
  out_trade_no    TEXT,              -- of the order, if it is about one
  transaction_id  TEXT,              -- of the payment, if it is about one
  amount          INTEGER,           -- that was paid, in fen
  notification_id TEXT,              -- of the notification that is handed on, if one is
  reason          TEXT    NOT NULL,  -- why it failed last, without what came in the message
  first_at        INTEGER NOT NULL,
  last_at         INTEGER NOT NULL,
  times           INTEGER NOT NULL,  -- how often it failed
  CONSTRAINT effect_failure_once UNIQUE (effect, subject)
) STRICT;

-- How far somebody has read the messages, by himself.
CREATE TABLE consumer (
  name       TEXT    NOT NULL PRIMARY KEY,  -- how he calls himself; payonce.… are payonce's own
  position   INTEGER NOT NULL,              -- message.position: what he has read, and all before it
  changed_at INTEGER NOT NULL               -- when he said so last
) STRICT, WITHOUT ROWID;
