from django.urls import path

from credits.views import check_ins, invites, missions, monthly, seals, statement, why

app_name = "credits"
urlpatterns = [
    path("credits", statement.credits_page, name="credits"),
    path("credits/why/<str:public_id>", why.why, name="why"),
    path("credits/statement", monthly.statement_page, name="statement"),
    path("credits/statement.csv", monthly.statement_csv, name="statement_csv"),
    path("credits/statement.pdf", monthly.statement_pdf, name="statement_pdf"),
    path("credits/statement-proof.json", monthly.statement_proof, name="statement_proof"),
    path("credits/verify_statement.py", monthly.verifier, name="verifier"),
    path("credits/seals", seals.seals_page, name="seals"),
    path("credits/seals.json", seals.seals_file, name="seals_file"),
    path("credits/invite", invites.invite_page, name="invite"),
    path("invited/<slug:code>", invites.invited, name="invited"),
    path("credits/missions/<slug:slug>/claim", missions.claim, name="claim_mission"),
    path("check-in", check_ins.post_check_in, name="check_in"),
]
