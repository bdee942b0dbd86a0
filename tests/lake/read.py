"""Reads the folder of an archive with another program, as it is: read.py duckdb|pyarrow|polars FOLDER. One JSON object for each kind
of log, with the counts and sums that the test compares. It reads every column of every file, so that each type is decoded."""

import json
import sys


def duckdb(folder):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    files = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"
    # Every value of every column is decoded and counted.
    names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()]
    counts = ", ".join(f'count("{name}")' for name in names)
    assert sum(connection.execute(f"SELECT {counts} FROM {files}").fetchone()) > 0
    rows = connection.execute(f"""
        SELECT dataset, count(*), sum("http.response.status_code"), sum("c0di3.line"), count(DISTINCT "source.ip"),
               CAST(min("@timestamp") AS VARCHAR), CAST(max("@timestamp") AS VARCHAR)
        FROM {files} GROUP BY dataset ORDER BY dataset""")
    return rows.fetchall()


def pyarrow(folder):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    files = sorted(ds.dataset(folder, format="parquet", exclude_invalid_files=True).files)
    parts = [ds.dataset(file, format="parquet", partitioning="hive") for file in files]
    schema = pa.unify_schemas([part.schema for part in parts], promote_options="permissive")
    # Texts are stored as views, for which some functions of pyarrow are missing: it reads them as plain texts where it is told to.
    plain = [field.with_type(pa.string()) if field.type == pa.string_view() else field for field in schema]
    schema = pa.schema(plain)
    whole = ds.dataset(files, format="parquet", schema=schema, partitioning=ds.partitioning(flavor="hive", schema=pa.schema([("dataset", pa.string())])))
    table = whole.to_table()
    table.validate(full=True)
    kinds = table["dataset"] if "dataset" in table.column_names else table["event.dataset"]
    for kind in sorted(set(kinds.to_pylist())):
        part = table.filter(pc.equal(kinds, kind))
        yield (
            kind, part.num_rows, pc.sum(part["http.response.status_code"]).as_py(), pc.sum(part["c0di3.line"]).as_py(),
            pc.count_distinct(part["source.ip"].cast(pa.string()), mode="only_valid").as_py(), pc.min(part["@timestamp"]).as_py(),
            pc.max(part["@timestamp"]).as_py(),
        )


def polars(folder):
    import polars as pl

    files = pl.scan_parquet(f"{folder}/**/*.parquet", hive_partitioning=True, missing_columns="insert", extra_columns="ignore",
                            schema=schema_of(folder))
    whole = files.collect()
    assert whole.estimated_size() > 0
    rows = whole.group_by("event.dataset").agg(
        pl.len(), pl.col("http.response.status_code").sum(), pl.col("c0di3.line").sum(),
        pl.col("source.ip").drop_nulls().n_unique().alias("ips"),
        pl.col("@timestamp").min().alias("first"), pl.col("@timestamp").max().alias("last"),
    ).sort("event.dataset")
    # A sum of nothing is 0 here, and nothing elsewhere.
    for row in rows.rows():
        has = whole.filter(pl.col("event.dataset") == row[0])["http.response.status_code"].drop_nulls().len() > 0
        yield row[:2] + ((row[2] if has else None),) + row[3:]


def schema_of(folder):
    import pathlib

    import polars as pl

    schema = {}
    for file in sorted(pathlib.Path(folder).rglob("*.parquet")):
        schema.update(pl.read_parquet_schema(file))
    schema.update(dataset=pl.String, date=pl.Date, hour=pl.Int64)
    return schema


def main():
    reader, folder = sys.argv[1:]
    names = ["dataset", "n", "status", "line", "ips", "first", "last"]
    for row in {"duckdb": duckdb, "pyarrow": pyarrow, "polars": polars}[reader](folder):
        fields = dict(zip(names, row))
        shown = {name: str(value) if name in ("first", "last") else value for name, value in fields.items() if value is not None}
        print(json.dumps({name: int(value) if name not in ("dataset", "first", "last") else value for name, value in shown.items() if value != "None"}))


main()
