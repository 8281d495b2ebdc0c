-- Rights inside the vault's database. Run in "$vaults" by the owner of its tables, after every
-- migration. May be run again. The blinded role gets nothing here, and may not even connect.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO "$owner";
GRANT USAGE ON SCHEMA public TO "$vault";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, "$blinded", "$vault";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, "$blinded", "$vault";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;

-- The vault app never deletes, and changes nothing of a slot but what is sealed in it: that of a
-- minimised list is decided when somebody comes to it.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO "$vault";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "$vault";
DO $$$$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT c.relname AS name, EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_append_only'
        ) AS grows
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname <> 'alembic_version'
    LOOP
        EXECUTE format('GRANT INSERT ON %I TO "$vault"', found.name);
        IF NOT found.grows AND found.name NOT IN ('slot', 'stratum', 'shelf') THEN
            EXECUTE format('GRANT UPDATE ON %I TO "$vault"', found.name);
        END IF;
    END LOOP;
END $$$$;
GRANT UPDATE (ciphertext, nonce) ON slot TO "$vault";
