-- A release and what may be asked for it beside its own fields. `version` changes with each row
-- that members see it by, even twice in one transaction: who wrote a row, and where it lies.
-- Whoever changes the type of a column that is read here drops the view first.
CREATE OR REPLACE VIEW benefits_offered AS
SELECT release.id AS release_id,
       release.public_id,
       release.benefit_id,
       release.xmin::text || release.ctid::text || benefit.xmin::text || benefit.ctid::text
           || coalesce((
               SELECT string_agg(words.xmin::text || words.ctid::text, ' ' ORDER BY words.id)
               FROM benefits_benefittext words WHERE words.benefit_id = benefit.id), '') AS version,
       (
           SELECT rule.id FROM benefits_ruleversion rule
           WHERE rule.benefit_id = benefit.id ORDER BY rule.version DESC LIMIT 1
       ) AS rule_id,
       (
           SELECT string_agg(bundle.kind, ' ') FROM benefits_bundleitem item
           JOIN benefits_bundle bundle ON bundle.id = item.bundle_id AND bundle.is_active
           WHERE item.benefit_id = benefit.id
       ) AS bundles
FROM benefits_release release
JOIN benefits_benefit benefit ON benefit.id = release.benefit_id;

-- Who stands before the door with this session and may act, and all that rules look at there; no
-- row when the session is not open, or has been still for so long that its end has to be moved.
CREATE OR REPLACE FUNCTION benefits_at_door(
    p_session bytea, p_refresh interval, p_now timestamptz
) RETURNS TABLE (
    member_id bigint,
    public_id text,
    language text,
    country text,
    time_zone text,
    "position" text
)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT member.id, member.public_id, member.language, wallet.country, member.time_zone,
           concat(member.wallet_id, '|', wallet.livemode, '|', member.is_adult, '|',
                  member.storefront, '|', binding.status, '|', binding.storefront, '|',
                  binding.valid_until IS NULL OR binding.valid_until > p_now)
    FROM members_membersession session
    JOIN members_member member ON member.id = session.member_id
    JOIN members_wallet wallet ON wallet.code = member.wallet_id
    LEFT JOIN members_binding binding ON binding.member_id = member.id
        AND binding.status IN ('pending', 'active', 'suspended', 'unbinding')
    WHERE session.token_hash = p_session AND session.revoked_at IS NULL
      AND session.idle_until > p_now AND session.expires_at > p_now
      AND session.seen_at > p_now - p_refresh
      AND member.status = 'active' AND member.frozen_at IS NULL
$$;

-- What a member has of a release already: the claim that an operation made, how many the limit
-- counts, and the newest of those.
CREATE OR REPLACE FUNCTION benefits_claims_of(
    p_member bigint, p_release bigint, p_op uuid,
    OUT made_id bigint, OUT held bigint, OUT newest text
)
LANGUAGE plpgsql STABLE
-- Planned while the table is small, this would read all of it, and go on doing so in the middle
-- of the rush that fills it.
SET enable_seqscan = off AS $$
BEGIN
    SELECT count(*), max(claim.public_id) INTO held, newest
    FROM benefits_claim claim
    WHERE claim.release_id = p_release AND claim.member_id = p_member
      AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted');
    SELECT claim.id INTO made_id
    FROM benefits_claim claim
    WHERE claim.member_id = p_member AND claim.op_id = p_op;
END
$$;

-- A claim in one round trip, for whoever is in a position that was judged before: the session, the
-- member behind it and the claim itself. Answers with a code:
--
--   ok       claimed and shown; everything that its panel says is beside it
--   judge    nobody has judged this position yet: `position` says what the rules look at
--   page     the release is another than it was, or asks for more than a position
--   others   what `benefits_take_claim` says; nothing was written. Beside limit_reached: the newest
--            claim that the limit counts, unless this operation made one
--
-- and with no row when the session is not open, has been still for so long that its end has to be
-- moved, or belongs to somebody who may not act.
DROP FUNCTION IF EXISTS benefits_rush_claim(
    bytea, interval, bigint, text, bigint, text, uuid, text, smallint, smallint, integer);
CREATE FUNCTION benefits_rush_claim(
    p_session bytea,
    p_refresh interval,
    p_release bigint,
    p_version text,
    p_rule bigint,
    p_positions text,  -- one a line
    p_op uuid,
    p_public_id text,
    p_counter smallint,
    p_pack_counter smallint,
    p_price integer
) RETURNS TABLE (
    code text,
    "position" text,
    language text,
    country text,
    time_zone text,
    held_id text,
    price_credits integer,
    valid_until timestamptz,
    valid_from timestamptz,  -- when that is still to come
    slot integer,
    sealed bytea,
    redeem_url_sealed bytea,
    key_number smallint,
    key_sealed bytea,
    old_key_sealed bytea
)
LANGUAGE plpgsql ROWS 1
SET enable_seqscan = off AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_member bigint;
    v_public_id text;
    v_is_as_known boolean;
    v_taken benefits_take;
BEGIN
    SELECT member.member_id, member.public_id, member.language, member.country, member.time_zone,
           member."position",
           offered.version = p_version AND offered.rule_id IS NOT DISTINCT FROM p_rule
               AND offered.bundles IS NULL
    INTO v_member, v_public_id, language, country, time_zone, "position", v_is_as_known
    FROM benefits_at_door(p_session, p_refresh, v_now) member
    JOIN benefits_offered offered ON offered.release_id = p_release;
    IF v_member IS NULL THEN
        RETURN;
    ELSIF NOT v_is_as_known THEN
        code := 'page';
        RETURN NEXT;
        RETURN;
    ELSIF "position" <> ALL (string_to_array(p_positions, E'\n')) THEN
        code := 'judge';
        RETURN NEXT;
        RETURN;
    END IF;

    v_taken := benefits_take_claim(
        v_member, p_release, p_op, p_public_id, 'member:' || v_public_id, p_counter,
        p_pack_counter, NULL, NULL, NULL, p_price, NULL, true);
    code := v_taken.code;
    IF code = 'ok' THEN
        SELECT claim.price_credits, claim.valid_until,
               nullif(claim.valid_from, claim.created_at), claim.slot, own_code.sealed,
               own_code.redeem_url_sealed, batch.key_number, batch.key_sealed, batch.old_key_sealed
        INTO price_credits, valid_until, valid_from, slot, sealed, redeem_url_sealed, key_number,
             key_sealed, old_key_sealed
        FROM benefits_claim claim
        JOIN benefits_code own_code
            ON own_code.release_id = claim.release_id AND own_code.slot = claim.slot
        JOIN benefits_codebatch batch ON batch.id = own_code.batch_id
        WHERE claim.id = v_taken.claim_id;
    ELSIF code = 'limit_reached' THEN
        SELECT own.newest INTO held_id
        FROM benefits_claims_of(v_member, p_release, p_op) own
        WHERE own.made_id IS NULL;
    END IF;
    RETURN NEXT;
END
$$;

-- Everything that the answers to those who come too late depend on besides the release, by the
-- number under which they ask: with how many of it they hold, the newest of those, and whether this
-- very operation made a claim. No row for whom the page has to answer: their session is not open, or
-- they may not act.
DROP FUNCTION IF EXISTS benefits_too_late(bytea[], uuid[], bigint[]);
CREATE FUNCTION benefits_too_late(p_sessions bytea[], p_ops uuid[], p_releases bigint[])
RETURNS TABLE (
    nth integer,
    is_retry boolean,
    held_id text,
    held integer,
    wallet_id text,
    is_adult boolean,
    status text,
    language text,
    storefront text,
    binding_status text,
    binding_storefront text,
    valid_until timestamptz
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off AS $$
DECLARE
    v_now constant timestamptz := zone_now();
BEGIN
    RETURN QUERY
    SELECT asked.nth::integer,
           EXISTS (
               SELECT FROM benefits_claim made
               WHERE made.member_id = member.id AND made.op_id = asked.op_id),
           own.newest, own.number, member.wallet_id::text, member.is_adult,
           member.status::text, member.language::text, member.storefront::text,
           binding.status::text, binding.storefront::text, binding.valid_until
    FROM unnest(p_sessions, p_ops, p_releases)
        WITH ORDINALITY AS asked (token_hash, op_id, release_id, nth)
    JOIN members_membersession session ON session.token_hash = asked.token_hash
    JOIN members_member member ON member.id = session.member_id
    LEFT JOIN members_binding binding ON binding.member_id = member.id
        AND binding.status IN ('pending', 'active', 'suspended', 'unbinding')
    CROSS JOIN LATERAL (
        SELECT max(claim.public_id)::text AS newest, count(*)::integer AS number
        FROM benefits_claim claim
        WHERE claim.release_id = asked.release_id AND claim.member_id = member.id
          AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
    ) own
    WHERE session.revoked_at IS NULL
      AND session.idle_until > v_now AND session.expires_at > v_now
      AND member.status = 'active' AND member.frozen_at IS NULL;
END
$$;
