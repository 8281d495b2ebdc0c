-- Rights inside the main (blinded) database. Run in "$main" by the owner of its tables, after
-- every migration. May be run again: it begins by taking everything back.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO "$owner";
GRANT USAGE ON SCHEMA public TO "$blinded", "$vault";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, "$blinded", "$vault";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, "$blinded", "$vault";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;

-- The blinded app: adds everywhere, changes what is not append-only. Which tables only grow is
-- asked of their triggers, so that a new one is never forgotten here.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO "$blinded";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "$blinded";
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
        EXECUTE format('GRANT INSERT ON %I TO "$blinded"', found.name);
        IF NOT found.grows THEN
            EXECUTE format('GRANT UPDATE ON %I TO "$blinded"', found.name);
        END IF;
    END LOOP;
END $$$$;

-- What a person may take away again: drafts, marks, exclusions, PINs, reminders, loose files.
GRANT DELETE ON
    $deletable
TO "$blinded";

-- The vault app and its worker: read, sign people in, say on the ledger what was handed out and
-- that a code was broken, store a randomization whose answer nobody heard, send what waits. They
-- change no answer, no query, no account and no role.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO "$vault";
GRANT INSERT ON act, code_break, delivery, deviation, kit_given, outbox, sign_in TO "$vault";
GRANT UPDATE (size, link, last_at) ON chain TO "$vault";
GRANT UPDATE ON code_break, deviation, kit_given, outbox, sign_in TO "$vault";
GRANT UPDATE (failures, blocked_until) ON person TO "$vault";
GRANT UPDATE (status, random_number, randomized_on, receipt, unblinded_at)
    ON participant TO "$vault";
GRANT UPDATE ON visit TO "$vault";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "$vault";
