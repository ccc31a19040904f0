-- Schema version 1. Never edited after a release; a change is a further file.
-- Times are milliseconds since the Unix epoch, amounts are fen. Tables grow at their end (counted keys); the unique
-- indexes are what makes an effect happen once. Everything is called payonce_…, so that payonce can share the
-- merchant's database. WeChat's identifiers are visible ASCII: ascii_bin compares them byte by byte.
-- These databases commit each statement that makes a table, so each can run twice: a migration that was cut short is
-- run again from its beginning. A table's comment marks it as ours.

-- What this database is. It is made first, and filled when all else is there. Bytes of ours are in hex, so that a dump
-- may pass through programs that know text alone.
CREATE TABLE IF NOT EXISTS payonce_database (
  one            INT         NOT NULL,
  identity       VARCHAR(32) NOT NULL,  -- random, for life: 16 bytes
  schema_version INT         NOT NULL,  -- how many migrations were run
  epoch          VARCHAR(64) NOT NULL,  -- the key that cached answers are bound to, random: 32 bytes
  epoch_of       VARCHAR(64) NOT NULL,  -- the server and the tables that the key was made under: SHA-256
  epoch_written  BIGINT      NOT NULL,  -- when this row was written, in seconds: a row that was restored was written later
  PRIMARY KEY (one),
  CONSTRAINT payonce_database_once CHECK (one = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: what this database is';

-- Orders that the merchant registered or that payonce adopted, and numbers under which payments wait.
CREATE TABLE IF NOT EXISTS payonce_orders (
  id            BIGINT      NOT NULL AUTO_INCREMENT,
  mchid         VARCHAR(32) NOT NULL,  -- merchant number
  out_trade_no  VARCHAR(32) NOT NULL,  -- the merchant's number of the order
  amount        BIGINT,                -- what the customer shall pay, in fen; unknown while awaited
  currency      VARCHAR(3),            -- ISO 4217; unknown while awaited
  appid         VARCHAR(32),           -- the app in which it is paid; unknown while awaited
  sub_mchid     VARCHAR(32),           -- in partner mode, the sub-merchant that gets the money
  expires_at    BIGINT,                -- when it can no longer be paid, if the merchant said so
  state         TINYINT     NOT NULL,  -- 0 pending, 1 paid, 2 paid late, 3 closed, 4 awaited: nobody registered it
  flagged       TINYINT     NOT NULL,  -- 1: an operator should look
  messages      INT         NOT NULL,  -- how many messages it has; also guards against a lost update. While awaited: how often it was written
  registered_at BIGINT,                -- unknown while awaited
  PRIMARY KEY (id),
  CONSTRAINT order_number_once UNIQUE (mchid, out_trade_no),
  CONSTRAINT order_amount_not_negative CHECK (amount >= 0),
  CONSTRAINT order_terms_known CHECK
    (state = 4 OR (amount IS NOT NULL AND currency IS NOT NULL AND appid IS NOT NULL AND registered_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: orders, and numbers under which payments wait';

-- What WeChat said about payments: one row a statement, never deleted.
CREATE TABLE IF NOT EXISTS payonce_payment (
  id             BIGINT      NOT NULL AUTO_INCREMENT,
  mchid          VARCHAR(32) NOT NULL,
  transaction_id VARCHAR(32) NOT NULL,  -- WeChat's number of the payment
  rival          INT         NOT NULL,  -- 0 for the first content under this number, 1 and up for contradicting ones
  told_apart     INT         NOT NULL,  -- its rival, or -1 if it counts although it waited or is not the first: one a number
  out_trade_no   VARCHAR(32) NOT NULL,  -- the order that WeChat names
  amount         BIGINT      NOT NULL,  -- in fen
  currency       VARCHAR(3)  NOT NULL,
  appid          VARCHAR(32) NOT NULL,
  sub_mchid      VARCHAR(32),           -- in partner mode, the sub-merchant that got the money
  standing       TINYINT     NOT NULL,  -- 0 settling, 1 second, 2 disputed, 3 unmatched
  order_id       BIGINT      NOT NULL,  -- payonce_orders.id, of the order that it names
  paid_at        BIGINT,                -- when the customer paid, as WeChat says
  source         TINYINT     NOT NULL,  -- who told us first: 0 callback, 1 query, 2 bill, 3 operator
  learnt_at      BIGINT      NOT NULL,
  detail         LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- what else WeChat said (JSON); only while unmatched
  settles        TINYINT GENERATED ALWAYS AS (IF(standing = 0, 1, NULL)) STORED,
  PRIMARY KEY (id),
  CONSTRAINT payment_statement_once UNIQUE (mchid, transaction_id, told_apart),
  -- One payment settles an order, once. Those beside it and those that wait are NULL here, which may repeat; so one
  -- index serves the promise and the search for an order's payments.
  CONSTRAINT payment_settles_once UNIQUE (order_id, settles)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: what WeChat said about payments';

-- Notifications that were handed on. (The primary key is the constraint notification_once.)
CREATE TABLE IF NOT EXISTS payonce_notification_passed (
  mchid           VARCHAR(32) NOT NULL,
  notification_id VARCHAR(64) NOT NULL,  -- the id of WeChat's envelope, equal on resends
  PRIMARY KEY (mchid, notification_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: notifications that were handed on';

-- The outbox: the messages of one transaction are a batch. A message's position is its batch's first one plus its
-- place, so that the sequencer writes one row a transaction.
CREATE TABLE IF NOT EXISTS payonce_message_batch (
  id             BIGINT NOT NULL AUTO_INCREMENT,
  messages       INT    NOT NULL,  -- how many there are
  first_position BIGINT,           -- given after the commit, by the sequencer
  PRIMARY KEY (id),
  CONSTRAINT message_batch_position UNIQUE (first_position)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: the messages of one transaction each';

CREATE TABLE IF NOT EXISTS payonce_message (
  batch      BIGINT       NOT NULL,  -- payonce_message_batch.id
  place      INT          NOT NULL,  -- in its batch, from 0
  id         VARCHAR(128) NOT NULL,  -- the message's id, made from its cause
  kind       VARCHAR(80)  NOT NULL,  -- its type: payment.succeeded …
  order_id   BIGINT,                 -- payonce_orders.id
  sequence   INT,                    -- its number among the order's messages, from 1
  body       LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,  -- its bytes (JSON), never changed
  created_at BIGINT       NOT NULL,
  succeeded  BIGINT GENERATED ALWAYS AS (IF(kind = 'payment.succeeded', order_id, NULL)) STORED,
  PRIMARY KEY (batch, place),
  CONSTRAINT message_sequence_once UNIQUE (order_id, sequence),
  CONSTRAINT payment_succeeded_once UNIQUE (succeeded)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: the outbox';

-- The position that the next message gets. One row, which whoever gives positions locks.
CREATE TABLE IF NOT EXISTS payonce_sequencer (
  one           INT    NOT NULL,
  next_position BIGINT NOT NULL,
  PRIMARY KEY (one),
  CONSTRAINT payonce_sequencer_once CHECK (one = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: the next position of a message';
INSERT IGNORE INTO payonce_sequencer (one, next_position) VALUES (1, 1);

-- Money that does not add up.
CREATE TABLE IF NOT EXISTS payonce_incident (
  id          BIGINT      NOT NULL AUTO_INCREMENT,
  payment_id  BIGINT      NOT NULL,  -- payonce_payment.id
  kind        VARCHAR(32) NOT NULL,  -- amount_mismatch, paid_twice …
  remedy      TINYINT     NOT NULL,  -- what is to become of the money: 0 hold, 1 refund
  opened_at   BIGINT      NOT NULL,
  resolved_at BIGINT,                -- when it ceased to be one
  PRIMARY KEY (id),
  INDEX incident_of_payment (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: money that does not add up';

-- Callbacks that were accepted. Kept for a while (retention.callback_days).
CREATE TABLE IF NOT EXISTS payonce_receipt (
  id              BIGINT      NOT NULL AUTO_INCREMENT,
  mchid           VARCHAR(32) NOT NULL,
  notification_id VARCHAR(64) NOT NULL,
  event_type      VARCHAR(64) NOT NULL,
  received_at     BIGINT      NOT NULL,
  outcome         TINYINT     NOT NULL,  -- 0 applied, 1 duplicate, 2 unmatched, 3 incident, 4 refused
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: callbacks that were accepted';

-- Callbacks that were refused, with the reason; the latest retention.rejected_rows_max of them.
CREATE TABLE IF NOT EXISTS payonce_rejected (
  id            BIGINT   NOT NULL AUTO_INCREMENT,
  received_at   BIGINT   NOT NULL,
  path_merchant LONGTEXT NOT NULL,  -- the merchant in the path, as sent
  http_status   INT      NOT NULL,  -- what it was answered with
  verdict       LONGTEXT NOT NULL,  -- why, as a word
  reason        LONGTEXT NOT NULL,  -- why, as a sentence
  headers       LONGTEXT NOT NULL,  -- signature headers as sent, one a line
  body          LONGBLOB NOT NULL,  -- as sent
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'payonce: callbacks that were refused';

-- Verified callbacks that could not be read: our APIv3 key does not open them, or a payment is not as documented.
-- Taken up again until they can be.
CREATE TABLE IF NOT EXISTS payonce_unopened (
  id              BIGINT      NOT NULL AUTO_INCREMENT,
  mchid           VARCHAR(32) NOT NULL,
  notification_id VARCHAR(64) NOT NULL,
  received_at     BIGINT      NOT NULL,
  headers         LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  body            LONGBLOB    NOT NULL,
  taken_by        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- who takes it up at present
  taken_until     BIGINT,                                                  -- until when no other does
  PRIMARY KEY (id),
  CONSTRAINT unopened_once UNIQUE (mchid, notification_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: callbacks that do not open';

-- Rights to background roles, for a time. Times are this database's clock.
CREATE TABLE IF NOT EXISTS payonce_lease (
  role  VARCHAR(255) NOT NULL,
  owner VARCHAR(255) NOT NULL,
  token BIGINT       NOT NULL,  -- counts the holders
  until BIGINT       NOT NULL,
  PRIMARY KEY (role)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'payonce: rights to background roles';

-- How far a copy into this database has come; empty when none is under way.
CREATE TABLE IF NOT EXISTS payonce_copy_progress (
  table_name VARCHAR(64)   NOT NULL,
  source     VARCHAR(32)   NOT NULL,  -- identity of the database that the rows come from
  after      LONGTEXT      NOT NULL,  -- the key of the last row that came (JSON)
  `rows`     BIGINT        NOT NULL,
  done       TINYINT       NOT NULL,
  PRIMARY KEY (table_name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'payonce: how far a copy has come';
