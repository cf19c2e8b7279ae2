-- Messages that a gateway may refuse, and mail beside SMS.

-- `state`: waiting, sending (claimed; another process takes it when `next_at` is over), sent, failed.
ALTER TABLE outbox ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting';
-- A mail's subject, sealed like its text.
ALTER TABLE outbox ADD COLUMN subject BYTEA;
-- What it tells is of no use from then on.
ALTER TABLE outbox ADD COLUMN expires_at BIGINT;
-- 1 where a try ended without anybody knowing whether the gateway has it.
ALTER TABLE outbox ADD COLUMN unclear BIGINT NOT NULL DEFAULT 0;
-- What the last try ended with. Holds nothing of recipient and text.
ALTER TABLE outbox ADD COLUMN reason TEXT;
-- What the gateway calls it.
ALTER TABLE outbox ADD COLUMN gateway_id TEXT;
UPDATE outbox SET state = 'sent' WHERE sent_at IS NOT NULL;
DROP INDEX outbox_waiting;
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state IN ('waiting', 'sending');
