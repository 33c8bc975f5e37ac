"""The consumer as a user would write it in Python today: batches of what is
there, one upsert from arrays, offsets after the commit.  A handler that does
nothing is no call at all.
"""

import asyncio
import os
import uuid
from datetime import datetime

import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

ENV = "EVENT_HANDLER_SERVICE_"
BATCH = 1000

UPSERT = """INSERT INTO events AS e (id, name, data, status, attempts,
        created_at, processed_at, kafka_topic, kafka_partition, kafka_offset)
    SELECT DISTINCT ON (id) id, name, data::json, 'processed', 1, at, now(),
        $7, part, pos
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[],
        $5::int4[], $6::int8[]) AS r (id, name, data, at, part, pos)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET status = 'processed',
        processed_at = excluded.processed_at,
        kafka_topic = excluded.kafka_topic,
        kafka_partition = excluded.kafka_partition,
        kafka_offset = excluded.kafka_offset
    WHERE e.status IN ('pending', 'failed')"""


def columns(messages):
    ids, names, data, times, partitions, offsets = [], [], [], [], [], []
    for message in messages:
        event = orjson.loads(message.value)
        ids.append(uuid.UUID(event["id"]))
        names.append(event["name"])
        data.append(orjson.dumps(event["data"]).decode())
        times.append(datetime.fromisoformat(event["created_at"]))
        partitions.append(message.partition)
        offsets.append(message.offset)
    return ids, names, data, times, partitions, offsets


async def main():
    env = os.environ
    topic = env[ENV + "TOPIC_NAME"]
    connection = await asyncpg.connect(
        host=env[ENV + "POSTGRES_HOST"],
        port=env[ENV + "POSTGRES_PORT"],
        user=env[ENV + "POSTGRES_USER"],
        password=env[ENV + "POSTGRES_PASSWORD"],
        database=env[ENV + "POSTGRES_DB"],
    )
    upsert = await connection.prepare(UPSERT)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=env[ENV + "KAFKA_HOST"] + ":" + env[ENV + "KAFKA_PORT"],
        group_id=env["EVH_BENCH_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    try:
        while True:
            batches = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
            messages = [m for batch in batches.values() for m in batch]
            if messages:
                await upsert.fetch(*columns(messages), topic)
                await consumer.commit()
    finally:
        await consumer.stop()


uvloop.run(main())
