-- Schema version 1. Never edited after a release; a change is a further file.
-- Times are milliseconds since the Unix epoch, amounts are fen. Tables grow at their end (integer keys); the
-- unique indexes are what makes an effect happen once.

-- What this database is.
CREATE TABLE database (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  identity BLOB    NOT NULL  -- random, for life
) STRICT;
INSERT INTO database (one, identity) VALUES (1, randomblob(16));

-- Orders that the merchant registered or that payonce adopted, and numbers under which payments wait.
CREATE TABLE orders (
  id            INTEGER PRIMARY KEY,
  mchid         TEXT    NOT NULL,  -- merchant number
  out_trade_no  TEXT    NOT NULL,  -- the merchant's number of the order
  amount        INTEGER,           -- what the customer shall pay, in fen; unknown while awaited
  currency      TEXT,              -- ISO 4217; unknown while awaited
  appid         TEXT,              -- the app in which it is paid; unknown while awaited
  sub_mchid     TEXT,              -- in partner mode, the sub-merchant that gets the money
  expires_at    INTEGER,           -- when it can no longer be paid, if the merchant said so
  state         INTEGER NOT NULL,  -- 0 pending, 1 paid, 2 paid late, 3 closed, 4 awaited: nobody registered it
  flagged       INTEGER NOT NULL,  -- 1: an operator should look
  messages      INTEGER NOT NULL,  -- how many messages it has; also guards against a lost update
  registered_at INTEGER,           -- unknown while awaited
  CONSTRAINT order_number_once UNIQUE (mchid, out_trade_no),
  CONSTRAINT order_amount_not_negative CHECK (amount >= 0),
  CONSTRAINT order_terms_known CHECK
    (state = 4 OR (amount IS NOT NULL AND currency IS NOT NULL AND appid IS NOT NULL AND registered_at IS NOT NULL))
) STRICT;

-- What WeChat said about payments: one row a statement, never deleted.
CREATE TABLE payment (
  id             INTEGER PRIMARY KEY,
  mchid          TEXT    NOT NULL,
  transaction_id TEXT    NOT NULL,  -- WeChat's number of the payment
  rival          INTEGER NOT NULL,  -- 0 for the first content under this number, 1 and up for contradicting ones
  told_apart     INTEGER NOT NULL,  -- its rival, or -1 if it counts although it waited or is not the first: one a number
  out_trade_no   TEXT    NOT NULL,  -- the order that WeChat names
  amount         INTEGER NOT NULL,  -- in fen
  currency       TEXT    NOT NULL,
  appid          TEXT    NOT NULL,
  sub_mchid      TEXT,              -- in partner mode, the sub-merchant that got the money
  standing       INTEGER NOT NULL,  -- 0 settling, 1 second, 2 disputed, 3 unmatched
  order_id       INTEGER NOT NULL,  -- orders.id, of the order that it names
  paid_at        INTEGER,           -- when the customer paid, as WeChat says
  source         INTEGER NOT NULL,  -- who told us first: 0 callback, 1 query, 2 bill, 3 operator
  learnt_at      INTEGER NOT NULL,
  detail         TEXT,              -- what else WeChat said (JSON); only while unmatched
  CONSTRAINT payment_statement_once UNIQUE (mchid, transaction_id, told_apart)
) STRICT;
-- One payment settles an order, once.
CREATE UNIQUE INDEX payment_settles_once ON payment (order_id) WHERE standing = 0;
-- An order's payments beside the settling one, and those that wait for it; few, so that the index stays small.
CREATE INDEX payment_beside ON payment (order_id) WHERE standing <> 0;

-- Notifications that were handed on.
CREATE TABLE notification_passed (
  mchid           TEXT NOT NULL,
  notification_id TEXT NOT NULL,  -- the id of WeChat's envelope, equal on resends
  CONSTRAINT notification_once PRIMARY KEY (mchid, notification_id)
) STRICT, WITHOUT ROWID;

-- The outbox.
CREATE TABLE message (
  position   INTEGER PRIMARY KEY,  -- one writer, so the row number grows in the order of the commits
  id         TEXT    NOT NULL,     -- the message's id, made from its cause
  kind       TEXT    NOT NULL,     -- its type: payment.succeeded …
  order_id   INTEGER,              -- orders.id
  sequence   INTEGER,              -- its number among the order's messages, from 1
  body       TEXT    NOT NULL,     -- its bytes (JSON), never changed
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX message_sequence_once ON message (order_id, sequence) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX payment_succeeded_once ON message (order_id) WHERE kind = 'payment.succeeded';

-- Money that does not add up.
CREATE TABLE incident (
  id          INTEGER PRIMARY KEY,
  payment_id  INTEGER NOT NULL,  -- payment.id
  kind        TEXT    NOT NULL,  -- amount_mismatch, paid_twice …
  remedy      INTEGER NOT NULL,  -- what is to become of the money: 0 hold, 1 refund
  opened_at   INTEGER NOT NULL,
  resolved_at INTEGER            -- when it ceased to be one
) STRICT;
CREATE INDEX incident_of_payment ON incident (payment_id);

-- Callbacks that were accepted. Kept for a while (retention.callback_days).
CREATE TABLE receipt (
  id              INTEGER PRIMARY KEY,
  mchid           TEXT    NOT NULL,
  notification_id TEXT    NOT NULL,
  event_type      TEXT    NOT NULL,
  received_at     INTEGER NOT NULL,
  outcome         INTEGER NOT NULL  -- 0 applied, 1 duplicate, 2 unmatched, 3 incident, 4 refused
) STRICT;

-- Callbacks that were refused, with the reason; the latest retention.rejected_rows_max of them.
CREATE TABLE rejected (
  id            INTEGER PRIMARY KEY,
  received_at   INTEGER NOT NULL,
  path_merchant TEXT    NOT NULL,  -- the merchant in the path, as sent
  http_status   INTEGER NOT NULL,  -- what it was answered with
  verdict       TEXT    NOT NULL,  -- why, as a word
  reason        TEXT    NOT NULL,  -- why, as a sentence
  headers       TEXT    NOT NULL,  -- signature headers as sent, one a line
  body          BLOB    NOT NULL   -- as sent
) STRICT;

-- Verified callbacks that could not be read: our APIv3 key does not open them, or a payment is not as documented.
-- Taken up again until they can be.
CREATE TABLE unopened (
  id              INTEGER PRIMARY KEY,
  mchid           TEXT    NOT NULL,
  notification_id TEXT    NOT NULL,
  received_at     INTEGER NOT NULL,
  headers         TEXT    NOT NULL,
  body            BLOB    NOT NULL,
  taken_by        TEXT,              -- who takes it up at present
  taken_until     INTEGER,           -- until when no other does
  CONSTRAINT unopened_once UNIQUE (mchid, notification_id)
) STRICT;

-- Rights to background roles, for a time. Times are this database's clock.
CREATE TABLE lease (
  role  TEXT    NOT NULL PRIMARY KEY,
  owner TEXT    NOT NULL,
  token INTEGER NOT NULL,  -- counts the holders
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far a copy into this database has come; empty when none is under way.
CREATE TABLE copy_progress (
  table_name TEXT    NOT NULL PRIMARY KEY,
  source     TEXT    NOT NULL,  -- database.identity of where the rows come from, in hex
  after      TEXT    NOT NULL,  -- the key of the last row that came (JSON)
  rows       INTEGER NOT NULL,
  done       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
