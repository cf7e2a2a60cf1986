-- A replay is a load of its own: it applies once more what an earlier one landed.

ALTER TABLE assay.loads ADD COLUMN replay_of text REFERENCES assay.loads;
COMMENT ON COLUMN assay.loads.replay_of IS 'The load whose raw responses this one applies again, without asking the API.';
