-- Roles and databases. Run by a superuser, once the two databases are there:
--     CREATE DATABASE "$main"; CREATE DATABASE "$vaults";
-- Three roles: one owns both databases and migrates them, one serves the blinded app, one the
-- vault. Give each its password, or its line in pg_hba.conf, afterwards. May be run again.
DO $$$$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['$owner', '$blinded', '$vault'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role);
    END LOOP;
END $$$$;

ALTER DATABASE "$main" OWNER TO "$owner";
ALTER DATABASE "$vaults" OWNER TO "$owner";

-- By default everybody may connect to every database: this is what is taken back.
REVOKE ALL ON DATABASE "$main" FROM PUBLIC, "$blinded", "$vault";
REVOKE ALL ON DATABASE "$vaults" FROM PUBLIC, "$blinded", "$vault";
GRANT CONNECT ON DATABASE "$main" TO "$blinded", "$vault";
GRANT CONNECT ON DATABASE "$vaults" TO "$vault";
