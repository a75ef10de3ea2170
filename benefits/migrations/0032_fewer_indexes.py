import django.db.models.deletion
from django.db import migrations, models

# By name instead of by Django, which would make the other foreign keys anew and check every row.
DROP = """
DROP INDEX IF EXISTS benefits_claim_member_id_c45154e2;
DROP INDEX IF EXISTS benefits_claim_terms_id_2c3de64f;
DROP INDEX IF EXISTS benefits_claim_public_id_b3577188_like;
DROP INDEX IF EXISTS benefits_claimevent_claim_id_c6d3f63d;
DROP INDEX IF EXISTS benefits_code_release_id_5bc1e4f3;
ALTER TABLE benefits_claimevent
    DROP CONSTRAINT IF EXISTS benefits_claimevent_claim_id_c6d3f63d_fk_benefits_claim_id;
"""
MAKE = """
CREATE INDEX benefits_claim_member_id_c45154e2 ON benefits_claim (member_id);
CREATE INDEX benefits_claim_terms_id_2c3de64f ON benefits_claim (terms_id);
CREATE INDEX benefits_claim_public_id_b3577188_like
    ON benefits_claim (public_id varchar_pattern_ops);
CREATE INDEX benefits_claimevent_claim_id_c6d3f63d ON benefits_claimevent (claim_id);
CREATE INDEX benefits_code_release_id_5bc1e4f3 ON benefits_code (release_id);
ALTER TABLE benefits_claimevent
    ADD CONSTRAINT benefits_claimevent_claim_id_c6d3f63d_fk_benefits_claim_id
    FOREIGN KEY (claim_id) REFERENCES benefits_claim (id) DEFERRABLE INITIALLY DEFERRED;
"""
PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    """Four indexes less for a claim to write, one for a code, and no look back at the claim.

    Each began with what another one begins with, or served no query: nobody looks for the claims
    of some terms, or for public ids by their first letters.
    """

    dependencies = [("benefits", "0031_wallet_vouchers"), ("members", "0009_binding_apple_index")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP, MAKE)],
            state_operations=[
                migrations.AlterField(
                    model_name="claim",
                    name="member",
                    field=models.ForeignKey(
                        db_index=False, on_delete=PROTECT, related_name="claims",
                        to="members.member",
                    ),
                ),
                migrations.AlterField(
                    model_name="claim",
                    name="terms",
                    field=models.ForeignKey(
                        db_constraint=False, db_index=False, null=True, on_delete=PROTECT,
                        related_name="+", to="benefits.benefitterms",
                    ),
                ),
                migrations.AlterField(
                    model_name="claimevent",
                    name="claim",
                    field=models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=PROTECT,
                        related_name="events", to="benefits.claim",
                    ),
                ),
                migrations.AlterField(
                    model_name="code",
                    name="release",
                    field=models.ForeignKey(
                        db_index=False, on_delete=PROTECT, related_name="codes",
                        to="benefits.release",
                    ),
                ),
            ],
        ),
    ]  # fmt: skip
