-- Make the account of a known member. False when there is no such member.
CREATE OR REPLACE FUNCTION ledger.open_account(p_member bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
    v_zone smallint;
BEGIN
    SELECT w.time_zone INTO v_name
    FROM public.members_member m JOIN public.members_wallet w ON w.code = m.wallet_id
    WHERE m.id = p_member;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT zone INTO v_zone FROM ledger.zone_day WHERE name = v_name;
    IF NOT FOUND THEN
        INSERT INTO ledger.zone_day (name, day, floor, ends_at, first_op, last_op)
        SELECT v_name, '2000-01-01', 0, '2000-01-01', s.first_op, s.last_op
        FROM ledger.partition_span() s
        ON CONFLICT (name) DO NOTHING;
        SELECT zone INTO v_zone FROM ledger.zone_day WHERE name = v_name;
    END IF;
    INSERT INTO ledger.account (member_id, zone) VALUES (p_member, v_zone)
    ON CONFLICT (member_id) DO NOTHING;
    RETURN true;
END
$$;
