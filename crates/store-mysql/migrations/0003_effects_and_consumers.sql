-- Schema version 3: effects that failed, and how far consumers have read. Never edited after a release; a change is a
-- further file. Each statement can run twice.

-- What failed for a message whose fact is therefore not applied. Whether it was applied since, the other tables say.
CREATE TABLE IF NOT EXISTS payonce_effect_failure (
  id              BIGINT       NOT NULL AUTO_INCREMENT,
  effect          VARCHAR(64)  NOT NULL,  -- its name
  subject         VARCHAR(128) NOT NULL,  -- what the message is about: payment:…, event:… or order:…
  kind            VARCHAR(80)  NOT NULL,  -- the message's
  mchid           VARCHAR(32)  NOT NULL,
  out_trade_no    VARCHAR(32),            -- of the order, if it is about one
  transaction_id  VARCHAR(32),            -- of the payment, if it is about one
  amount          BIGINT,                 -- that was paid, in fen
  notification_id VARCHAR(64),            -- of the notification that is handed on, if one is
  reason          TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,  -- why it failed last, without what came in the message
  first_at        BIGINT       NOT NULL,
  last_at         BIGINT       NOT NULL,
  times           BIGINT       NOT NULL,  -- how often it failed
  PRIMARY KEY (id),
  CONSTRAINT effect_failure_once UNIQUE (effect, subject)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: effects that failed';

-- How far somebody has read the messages, by himself.
CREATE TABLE IF NOT EXISTS payonce_consumer (
  name       VARCHAR(64) NOT NULL,  -- how he calls himself; payonce.… are payonce's own
  position   BIGINT      NOT NULL,  -- of the message that he has read; and all before it
  changed_at BIGINT      NOT NULL,  -- when he said so last
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: how far consumers have read';
