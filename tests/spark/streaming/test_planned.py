"""What is planned once gives for each micro-batch what planning it anew would give."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.serving.bulk import Document
from spark_jobs.streaming.documents import as_text
from spark_jobs.streaming.planned import Planned

SCHEMA = "kind string, amount int"


def documents(rows: DataFrame) -> DataFrame:
    return rows.select(*as_text(F.struct(F.col("kind").alias("_id")), F.col("amount")))


def test_each_micro_batch_is_computed_from_its_own_rows(spark: SparkSession) -> None:
    planned = Planned(lambda rows: documents(rows.groupBy("kind").agg(F.sum("amount").alias("amount"))))
    first = spark.createDataFrame([("cart", 1), ("cart", 2), ("order", 5)], SCHEMA).repartition(3)
    second = spark.createDataFrame([("cart", 10)], SCHEMA)
    cart, order = '{"_id":"cart"}', '{"_id":"order"}'

    assert sorted(planned.documents(first)) == [Document(cart, '{"amount":3}'), Document(order, '{"amount":5}')]
    assert planned.documents(second) == [Document(cart, '{"amount":10}')]
    assert sorted(planned.documents(first)) == [Document(cart, '{"amount":3}'), Document(order, '{"amount":5}')]


def test_a_micro_batch_without_rows_gives_none(spark: SparkSession) -> None:
    planned = Planned(documents)

    assert planned.documents(spark.createDataFrame([], SCHEMA)) == []


def test_documents_keep_what_unicode_takes_for_the_end_of_a_line(spark: SparkSession) -> None:
    strange = "a\u2028b\u0085c\nd"
    planned = Planned(documents)

    assert planned.documents(spark.createDataFrame([(strange, 1), ("plain", 2)], SCHEMA)) == [
        Document('{"_id":"a\u2028b\u0085c\\nd"}', '{"amount":1}'),
        Document('{"_id":"plain"}', '{"amount":2}'),
    ]
