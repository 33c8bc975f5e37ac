"""Load test: posts events, and follows each of them until it is processed.

    pip install locust
    locust -f locust_test.py                                    # http://localhost:8089
    locust -f locust_test.py --headless -u 20 -r 10 -t 60s

The service is expected at http://localhost:8000; --host says otherwise.  The
names are mixed as conf/consumer.conf has handlers for them: io.* waits, cpu.*
computes, user.created does neither.

Order is kept per key, or per partition where there is no key, so an io.* event
holds up whatever lies behind it in its partition.  key = "id" in the API's
ingest section takes that away, and shows the handlers alone.

Three kinds of rows come out.  POST is the answer: the broker has the event.
GET is one look at it.  "to processed" is the time from the POST's start to the
look that found the event processed, so it is at most one pause (20 to 100 ms)
longer than the truth; an event that fails, is dropped or takes longer than
DEADLINE_S is a failure there.
"""

import random
import time

from locust import HttpUser, between, events, task

EVENTS = "/api/v1/events"
DEADLINE_S = 30
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.1


class NotProcessed(Exception):
    """An event did not become processed."""


class Client(HttpUser):
    """Posts one event after another and waits for each."""

    host = "http://localhost:8000"
    wait_time = between(0.05, 0.2)

    @task(3)
    def io_bound(self):
        self.send("io.sleep", {"seconds": 2})

    @task(3)
    def cpu_bound(self):
        self.send("cpu.spin", {"rounds": 1000000})

    @task(4)
    def plain(self):
        self.send("user.created", {"user_id": random.randrange(1_000_000)})

    def send(self, name, data):
        start = time.perf_counter()
        event_id = self.post(name, data)
        if event_id is None:
            return
        error = self.follow(event_id, start + DEADLINE_S)
        events.request.fire(
            request_type="EVENT",
            name=f"to processed: {name}",
            response_time=(time.perf_counter() - start) * 1000,
            response_length=0,
            exception=error,
            context={},
        )

    def post(self, name, data):
        """Gives the new event's id, or None when the answer is no 201."""
        with self.client.post(
            EVENTS,
            json={"name": name, "data": data},
            name=f"{EVENTS} {name}",
            catch_response=True,
        ) as answer:
            if answer.status_code != 201:
                answer.failure(f"{answer.status_code}, want 201")
                return None
            return answer.json()["id"]

    def follow(self, event_id, deadline):
        """Gives None when the event was processed, else what went wrong."""
        pause = FIRST_PAUSE_S
        status = "not found"
        while time.perf_counter() < deadline:
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_S)
            status = self.look(event_id)
            if status == "processed":
                return None
            if status in ("failed", "dropped"):
                break
        return NotProcessed(f"still {status} after {DEADLINE_S} s"
                            if status in ("pending", "not found", "no answer")
                            else status)

    def look(self, event_id):
        """Gives the event's status.  Its row may come after its 201."""
        with self.client.get(
            f"{EVENTS}/{event_id}",
            name=f"{EVENTS}/{{id}}",
            catch_response=True,
        ) as answer:
            if answer.status_code == 200:
                return answer.json()["status"]
            if answer.status_code == 404:
                answer.success()
                return "not found"
            answer.failure(f"{answer.status_code}, want 200")
            return "no answer"
