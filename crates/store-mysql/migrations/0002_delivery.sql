-- Schema version 2: endpoints, and what is due to them. Never edited after a release; a change is a further file. Each
-- statement can run twice.

-- Where messages go.
CREATE TABLE IF NOT EXISTS payonce_endpoint (
  id            BIGINT        NOT NULL AUTO_INCREMENT,  -- never given again: the row stays when the endpoint is removed
  name          VARCHAR(64),             -- how the merchant calls it; none once it is removed
  url           VARCHAR(2048) NOT NULL,
  kinds         LONGTEXT      NOT NULL,  -- which messages it wants (JSON, a list of patterns)
  ordered       TINYINT       NOT NULL,  -- 1: an order's messages one at a time, in their sequence
  settings      LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,  -- how it is called (JSON)
  sealed        LONGBLOB      NOT NULL,  -- secrets and headers, encrypted by the server
  state         TINYINT       NOT NULL,  -- 0 enabled, 1 disabled by somebody, 2 gone (410), 3 failed for too long, 4 removed
  state_since   BIGINT        NOT NULL,
  failing_since BIGINT,                  -- since when no call succeeded, if the last ones failed
  fanned_out    BIGINT        NOT NULL,  -- the cursor: the last position that was looked at for it
  PRIMARY KEY (id),
  CONSTRAINT endpoint_name_once UNIQUE (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: where messages go';

-- A message that is due to an endpoint. Goes when it is delivered.
CREATE TABLE IF NOT EXISTS payonce_delivery (
  endpoint_id BIGINT  NOT NULL,            -- payonce_endpoint.id
  position    BIGINT  NOT NULL,            -- of the message
  order_id    BIGINT,                      -- as the message has it
  sequence    INT,                         -- as the message has it
  attempts    INT     NOT NULL,            -- how many were made
  due_at      BIGINT  NOT NULL,            -- when the next one is due; while it is taken, until when no one else gets it
  state       TINYINT NOT NULL,            -- 0 pending, 1 exhausted
  taken_by    VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- who makes the next attempt at present
  token       BIGINT  NOT NULL DEFAULT 0,  -- counts the takers
  PRIMARY KEY (endpoint_id, position),
  INDEX delivery_due (endpoint_id, state, due_at, position),
  INDEX delivery_of_order (endpoint_id, order_id, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT = 'payonce: messages that are due to an endpoint';

-- Attempts that were made, also of what is delivered. Kept for a while.
CREATE TABLE IF NOT EXISTS payonce_attempt (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  endpoint_id BIGINT NOT NULL,
  position    BIGINT NOT NULL,
  number      INT    NOT NULL,  -- among the attempts of the delivery, from 1
  begun_at    BIGINT NOT NULL,
  took_ms     BIGINT NOT NULL,
  status      INT,              -- the answer's status; none if there was no answer
  fault       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,  -- why there was none: timed_out …
  headers     LONGTEXT NOT NULL,  -- the answer's, one a line
  body        LONGBLOB NOT NULL,  -- its beginning
  PRIMARY KEY (id),
  INDEX attempt_of_message (position, endpoint_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'payonce: attempts that were made';
