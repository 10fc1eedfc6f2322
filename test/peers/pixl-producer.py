"""Reads and writes messages with jsonpickle and pika, as the PIXL imaging system does. One JSON document on stdin, one on stdout."""
import base64
import json
import sys
import types
import warnings
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import jsonpickle
import pika

warnings.simplefilter("ignore", DeprecationWarning)


@dataclass
class Message:
    mrn: str
    accession_number: str
    study_uid: str
    series_uid: str
    study_date: date
    procedure_occurrence_id: int
    project_name: str
    extract_generated_timestamp: datetime


# The class under the name that jsonpickle writes and imports.
for name in ("core", "core.patient_queue", "core.patient_queue.message"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["core.patient_queue.message"].Message = Message
Message.__module__ = "core.patient_queue.message"


def samples():
    zone = timezone(timedelta(hours=-5))
    when = datetime(2023, 12, 7, 14, 8, 58, 123456)
    usual = ("987654321", "AA12345601", "1.3.6.1", "")
    return [
        Message(*usual, date(2022, 11, 22), 4, "p", when),
        Message(*usual, date(2022, 11, 22), 4, "p", when.replace(microsecond=0, tzinfo=timezone.utc)),
        Message(*usual, date(2022, 11, 22), 4, "p", when.replace(tzinfo=ZoneInfo("Europe/London"))),
        Message("Jörg", "A", None, "1.2\\1.3", when.replace(tzinfo=zone), 4.0, "p", when.replace(tzinfo=zone)),
        Message(float("nan"), "A", None, "", date(2022, 11, 22), 4, "p", when),
    ]


def sample_list():
    """Several messages in one document: jsonpickle writes an object that it has written before as a reference."""
    day, london, utc = (getattr(samples()[0], "study_date"), *(samples()[place].extract_generated_timestamp for place in (2, 1)))
    utc = utc.replace(microsecond=123456)
    usual = ("987654321", "AA12345601", "1.3.6.1", "")
    stamps = (london, utc, utc.replace(second=58), london)
    return [Message(*usual, day, 4, "p", stamp) for stamp in stamps]


def encode(message):
    return base64.b64encode(jsonpickle.encode(message).encode("utf-8")).decode()


def decode(encoded):
    return repr(jsonpickle.decode(base64.b64decode(encoded).decode("utf-8")))


def publish(port, queue, priority, count, key=None):
    parameters = pika.ConnectionParameters(host="127.0.0.1", port=port)
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        declared = channel.queue_declare(queue=queue, durable=True, arguments={"x-max-priority": 5})
        for number in range(count):
            message = samples()[0]
            message.accession_number = f"A{number}"
            if key is not None:
                # Looked for by these two: the UID is not known.
                message.mrn, message.accession_number = key
                message.study_uid = None
            channel.basic_publish(
                exchange="",
                routing_key=queue,
                body=jsonpickle.encode(message).encode("utf-8"),
                properties=pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent, priority=priority),
            )
        return declared.method.message_count


task = json.load(sys.stdin)
answers = {
    "encode": lambda: [encode(message) for message in samples()],
    "list": lambda: encode(sample_list()),
    "decode": lambda: [decode(each) for each in task["messages"]],
    "publish": lambda: publish(task["port"], task["queue"], task["priority"], task["count"], task.get("key")),
}
print(json.dumps({name: answers[name]() for name in task["do"]}))
