-- Credits never buy credits: a credit pack has no price in credits, wherever a price can be written.
CREATE FUNCTION benefits_guard_closed_loop() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.price_credits > 0 AND EXISTS (
        SELECT FROM benefits_benefit WHERE id = NEW.benefit_id AND kind = 'credit_pack'
    ) THEN
        RAISE EXCEPTION 'credits cannot buy credits' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_loop BEFORE INSERT OR UPDATE OF price_credits, benefit_id ON benefits_release
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_closed_loop();
CREATE TRIGGER guard_loop BEFORE INSERT OR UPDATE OF price_credits, benefit_id ON benefits_pricerow
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_closed_loop();

-- Nor does a priced benefit become a credit pack, or a price in stamps one in credits: what a board
-- offers costs nothing but stamps.
CREATE FUNCTION benefits_guard_stamp_price() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'benefits_stampchoice' THEN
        IF EXISTS (SELECT FROM benefits_benefit WHERE id = NEW.benefit_id AND price_credits > 0)
            OR EXISTS (SELECT FROM benefits_release
                       WHERE benefit_id = NEW.benefit_id AND price_credits > 0)
            OR EXISTS (SELECT FROM benefits_pricerow
                       WHERE benefit_id = NEW.benefit_id AND price_credits > 0) THEN
            RAISE EXCEPTION 'stamps cannot pay a price in credits'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.kind = 'credit_pack' AND OLD.kind <> 'credit_pack' AND (
        EXISTS (SELECT FROM benefits_release WHERE benefit_id = NEW.id AND price_credits > 0)
        OR EXISTS (SELECT FROM benefits_pricerow WHERE benefit_id = NEW.id AND price_credits > 0)
    ) THEN
        RAISE EXCEPTION 'credits cannot buy credits' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_price BEFORE INSERT OR UPDATE ON benefits_stampchoice
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_stamp_price();
CREATE TRIGGER guard_loop BEFORE UPDATE OF kind ON benefits_benefit
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_stamp_price();
