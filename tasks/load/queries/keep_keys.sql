INSERT INTO {kept} SELECT {typed_key} FROM jsonb_populate_record(NULL::{target}, %s::jsonb) typed WHERE {is_known}
