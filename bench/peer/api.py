"""The API as a user would write it in Python today, as lean as it honestly goes.

POST /api/v1/events: check the body, Kafka with acks=all and idempotence, the
pending row, 201.  With PEER_ROW=no it leaves out the row.

    uvicorn --loop uvloop --http httptools --no-access-log api:app
"""

import asyncio
import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

ENV = "EVENT_HANDLER_SERVICE_"
TOPIC = os.environ[ENV + "TOPIC_NAME"]
WITH_ROW = os.environ.get("PEER_ROW", "yes") == "yes"

INSERT = """INSERT INTO events (id, name, data, status, created_at)
    VALUES ($1, $2, $3::text::json, 'pending', $4) ON CONFLICT (id) DO NOTHING"""


def pool():
    return asyncpg.create_pool(
        host=os.environ[ENV + "POSTGRES_HOST"],
        port=os.environ[ENV + "POSTGRES_PORT"],
        user=os.environ[ENV + "POSTGRES_USER"],
        password=os.environ[ENV + "POSTGRES_PASSWORD"],
        database=os.environ[ENV + "POSTGRES_DB"],
        min_size=1,
        max_size=10,
    )


def brokers():
    return os.environ[ENV + "KAFKA_HOST"] + ":" + os.environ[ENV + "KAFKA_PORT"]


@asynccontextmanager
async def lifespan(app):
    app.state.producer = AIOKafkaProducer(
        bootstrap_servers=brokers(), acks="all", enable_idempotence=True
    )
    await app.state.producer.start()
    app.state.pool = await pool() if WITH_ROW else None
    yield
    await app.state.producer.stop()
    if app.state.pool:
        await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


def uuid7():
    ms = time.time_ns() // 1_000_000
    value = (ms << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (7 << 76)
    return uuid.UUID(int=value & ~(3 << 62) | (2 << 62))


# The body is read by hand: a pydantic model costs more, and checks no more.
@app.post("/api/v1/events")
async def create(request: Request):
    try:
        body = orjson.loads(await request.body())
        name, data = body["name"], body["data"]
        if not isinstance(name, str) or not isinstance(data, dict):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return Response(b'{"detail":"no event"}', 422)
    event_id = uuid7()
    now = datetime.now(timezone.utc)
    message = {"id": event_id, "name": name, "data": data, "created_at": now}
    value = orjson.dumps(message)
    delivery = await app.state.producer.send(TOPIC, value)
    await delivery
    if WITH_ROW:
        await app.state.pool.execute(
            INSERT, event_id, name, orjson.dumps(data).decode(), now
        )
    message["status"] = "pending"
    message["processed_at"] = None
    return Response(orjson.dumps(message), 201, media_type="application/json")


@app.get("/api/v1/events/{event_id}")
async def read(event_id: uuid.UUID):
    row = await app.state.pool.fetchrow(
        "SELECT name, data::text, status FROM events WHERE id = $1", event_id
    )
    if row is None:
        return Response(b'{"detail":"no such event"}', 404)
    return Response(
        b'{"id":"%s","name":%s,"data":%s,"status":"%s"}'
        % (
            str(event_id).encode(),
            orjson.dumps(row["name"]),
            row["data"].encode(),
            row["status"].encode(),
        ),
        media_type="application/json",
    )


@app.get("/readyz")
async def ready():
    await asyncio.sleep(0)
    return Response(b"ready")
