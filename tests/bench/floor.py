"""Three views to measure against: one query, one insert, and a claim as a tutorial writes it.

They are what they say and nothing lighter: the query's answer is a small template, the insert and
the claim are forms that are posted, the claim locks one hot row, goes through the ORM, checks its
form token and renders its answer. A new project's other middleware is left out, in their favour.
Two processes serve them, as ours, through Django's own pool; with a thread each, which is what serves
them best: with 16, as ours has for a rush, the claim is no faster.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.views.decorators.csrf import csrf_protect

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.floor_settings"
application = get_wsgi_application()

TABLES = """
CREATE TABLE bench_stock (id int PRIMARY KEY, left_count int NOT NULL);
CREATE TABLE bench_claim (
    id bigserial PRIMARY KEY, stock_id int NOT NULL, member_id int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON bench_claim (stock_id, member_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON bench_stock, bench_claim TO PUBLIC;
GRANT USAGE ON SEQUENCE bench_claim_id_seq TO PUBLIC;
INSERT INTO bench_stock VALUES (1, 1000000);
"""


class Stock(models.Model):
    left_count = models.IntegerField()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "bench_stock"

    def __str__(self) -> str:
        return str(self.left_count)


class TutorialClaim(models.Model):
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT)
    member_id = models.IntegerField()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "bench_claim"

    def __str__(self) -> str:
        return str(self.member_id)


PAGE = engines["django"].from_string("""<!doctype html><title>{{ title }}</title>
<h1>{{ title }}</h1>
{% if left %}<p>{{ left }} left</p>{% else %}<p>None left</p>{% endif %}
<p><a href="/">Back</a></p>""")


def answer(title: str, left: int, status: int = 200) -> HttpResponse:
    return HttpResponse(PAGE.render({"title": title, "left": left}), status=status)


def one_query(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT left_count FROM bench_stock WHERE id = 1")
        return answer("Stock", cursor.fetchone()[0])


def one_insert(request: HttpRequest) -> HttpResponse:
    member_id = int(request.POST["member"])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_claim (stock_id, member_id) VALUES (0, %s)", [member_id])
    return HttpResponse("<p>ok</p>")


@csrf_protect
def tutorial(request: HttpRequest) -> HttpResponse:
    """Lock the row, look, count down, save."""
    member_id = int(request.POST["member"])
    with transaction.atomic():
        stock = Stock.objects.select_for_update().get(pk=1)
        if TutorialClaim.objects.filter(stock=stock, member_id=member_id).exists():
            return answer("Yours already", stock.left_count, 409)
        if stock.left_count <= 0:
            return answer("All gone", 0, 409)
        stock.left_count -= 1
        stock.save()
        TutorialClaim.objects.create(stock=stock, member_id=member_id)
    return answer("Yours", stock.left_count)


urlpatterns = [
    path("query", one_query),
    path("insert", one_insert),
    path("tutorial", tutorial),
]
