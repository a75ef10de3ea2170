-- Counter rows are rewritten by every claim: room on the page keeps each rewrite in place.
ALTER TABLE benefits_slotcounter SET (fillfactor = 20, autovacuum_vacuum_cost_delay = 0);
-- A claim is written once and moved a few times in its life.
ALTER TABLE benefits_claim SET (fillfactor = 85);
