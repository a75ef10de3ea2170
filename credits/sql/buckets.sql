-- Arithmetic on a member's buckets. Nothing here touches a table.

CREATE TYPE ledger.purse AS (keys smallint[], remains int[], alloc int[], total int);

-- Take up to `p_amount` from left to right: `alloc` says from where, `total` how much was found.
CREATE FUNCTION ledger.take(p_keys smallint[], p_remains int[], p_amount int)
RETURNS ledger.purse LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    p ledger.purse;
    v_need int := p_amount;
    v_part int;
    v_emptied int := 0;
BEGIN
    p.keys := p_keys;
    p.remains := p_remains;
    p.alloc := '{}';
    FOR i IN 1 .. cardinality(p_keys) LOOP
        EXIT WHEN v_need = 0;
        v_part := p_remains[i];
        IF v_part <= v_need THEN
            v_emptied := i;
        ELSE
            v_part := v_need;
            p.remains[i] := p_remains[i] - v_need;
        END IF;
        p.alloc := p.alloc || ARRAY[p_keys[i]::int, v_part];
        v_need := v_need - v_part;
    END LOOP;
    IF v_emptied > 0 THEN
        p.keys := p.keys[v_emptied + 1 :];
        p.remains := p.remains[v_emptied + 1 :];
    END IF;
    p.total := p_amount - v_need;
    RETURN p;
END
$$;

-- Take from one bucket first, then from left to right: a clawback starts with the credits it undoes.
CREATE FUNCTION ledger.take_from(p_keys smallint[], p_remains int[], p_first smallint, p_amount int)
RETURNS ledger.purse LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    p ledger.purse;
    q ledger.purse;
    v_at int := array_position(p_keys, p_first);
    v_part int;
BEGIN
    IF v_at IS NULL OR p_amount = 0 THEN
        RETURN ledger.take(p_keys, p_remains, p_amount);
    END IF;
    v_part := least(p_amount, p_remains[v_at]);
    IF v_part = p_remains[v_at] THEN
        p_keys := p_keys[: v_at - 1] || p_keys[v_at + 1 :];
        p_remains := p_remains[: v_at - 1] || p_remains[v_at + 1 :];
    ELSE
        p_remains[v_at] := p_remains[v_at] - v_part;
    END IF;
    IF v_part = p_amount THEN
        RETURN (p_keys, p_remains, ARRAY[p_first::int, v_part], v_part)::ledger.purse;
    END IF;
    q := ledger.take(p_keys, p_remains, p_amount - v_part);
    p := (q.keys, q.remains, ARRAY[p_first::int, v_part] || q.alloc, v_part + q.total);
    RETURN p;
END
$$;

-- Put (key, amount) pairs into their buckets, opening those that are missing.
CREATE FUNCTION ledger.put(p_keys smallint[], p_remains int[], p_alloc int[])
RETURNS ledger.purse LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_key smallint;
    v_at int;
    v_total int := 0;
BEGIN
    FOR i IN 1 .. cardinality(p_alloc) BY 2 LOOP
        v_key := p_alloc[i];
        v_total := v_total + p_alloc[i + 1];
        v_at := array_position(p_keys, v_key);
        IF v_at IS NOT NULL THEN
            p_remains[v_at] := p_remains[v_at] + p_alloc[i + 1];
            CONTINUE;
        END IF;
        v_at := cardinality(p_keys);
        WHILE v_at > 0 AND p_keys[v_at] > v_key LOOP
            v_at := v_at - 1;
        END LOOP;
        p_keys := p_keys[: v_at] || v_key || p_keys[v_at + 1 :];
        p_remains := p_remains[: v_at] || p_alloc[i + 1] || p_remains[v_at + 1 :];
    END LOOP;
    RETURN (p_keys, p_remains, p_alloc, v_total)::ledger.purse;
END
$$;

-- Cut off the buckets that have lapsed.
CREATE FUNCTION ledger.lapse(p_keys smallint[], p_remains int[], p_floor int)
RETURNS ledger.purse LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_alloc int[] := '{}';
    v_total int := 0;
    v_at int := 1;
BEGIN
    WHILE p_keys[v_at] < p_floor LOOP
        v_alloc := v_alloc || ARRAY[p_keys[v_at]::int, p_remains[v_at]];
        v_total := v_total + p_remains[v_at];
        v_at := v_at + 1;
    END LOOP;
    RETURN (p_keys[v_at :], p_remains[v_at :], v_alloc, v_total)::ledger.purse;
END
$$;

-- Leave out the first `p_skip` credits of an allocation, and keep the next `p_amount`.
CREATE FUNCTION ledger.part(p_alloc int[], p_skip int, p_amount int)
RETURNS int[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_alloc int[] := '{}';
    v_left int;
BEGIN
    FOR i IN 1 .. cardinality(p_alloc) BY 2 LOOP
        EXIT WHEN p_amount = 0;
        v_left := p_alloc[i + 1] - least(p_skip, p_alloc[i + 1]);
        p_skip := p_skip - least(p_skip, p_alloc[i + 1]);
        v_left := least(v_left, p_amount);
        IF v_left > 0 THEN
            v_alloc := v_alloc || ARRAY[p_alloc[i], v_left];
            p_amount := p_amount - v_left;
        END IF;
    END LOOP;
    RETURN v_alloc;
END
$$;
