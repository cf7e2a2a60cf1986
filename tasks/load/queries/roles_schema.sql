
-- Tables: the loader creates and owns them, readers read them, those to come as well.
CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner};
GRANT USAGE, CREATE ON SCHEMA {schema} TO {loader};
GRANT USAGE ON SCHEMA {schema} TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {loader} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader};
