"""What a device that uses paho-mqtt does with a broker, from connecting to shared subscriptions.

paho_client.py URL CA USER TOKEN VERSION TAG

URL is mqtt, mqtts, ws or wss; CA is a file with the authority of the server's certificate, or "-"; VERSION is 3 (3.1),
4 (3.1.1) or 5; TAG keeps this run's names apart. Prints each step; the exit code is 0 only when all of them worked.
"""

import queue
import socket
import sys
from urllib.parse import urlparse

import paho.mqtt.client as mqtt

# Longest wait for anything, in seconds.
SOON = 15

url, ca, user, token, version, tag = sys.argv[1:]
url = urlparse(url)
version = int(version)


class Device:
    """A client whose callbacks fill queues."""

    def __init__(self, name, password=token, will=None):
        transport = "websockets" if url.scheme in ("ws", "wss") else "tcp"
        options = {"protocol": version, "transport": transport, "client_id": f"{tag}{name}"}
        if version < 5:
            options["clean_session"] = True
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, **options)
        self.mqtt.username_pw_set(user, password)
        if transport == "websockets":
            self.mqtt.ws_set_options(path=url.path or "/mqtt")
        if url.scheme in ("mqtts", "wss"):
            self.mqtt.tls_set(ca_certs=ca)
        if will:
            self.mqtt.will_set(*will, qos=1)
        self.codes, self.granted, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.mqtt.on_connect = lambda client, data, flags, code, properties: self.codes.put(code)
        self.mqtt.on_subscribe = lambda client, data, mid, codes, properties: self.granted.put(codes)
        self.mqtt.on_message = lambda client, data, message: self.messages.put(message)
        self.mqtt.connect(url.hostname, url.port, keepalive=30)
        self.mqtt.loop_start()
        self.code = self.codes.get(timeout=SOON)

    def subscribe(self, topic, qos):
        self.mqtt.subscribe(topic, qos)
        codes = self.granted.get(timeout=SOON)
        assert [code.value for code in codes] == [qos], f"{topic} was answered with {codes}"

    def publish(self, topic, payload, qos, retain=False):
        self.mqtt.publish(topic, payload, qos, retain).wait_for_publish(SOON)

    def message(self, payload):
        message = self.messages.get(timeout=SOON)
        assert message.payload == payload.encode(), f"instead of {payload} came {message.payload}"
        return message

    def leave(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def cut(self):
        """Breaks the connection. paho would connect again, with the same will: it is told not to."""
        self.mqtt.reconnect_delay_set(min_delay=3600, max_delay=3600)
        plain = socket.fromfd(self.mqtt.socket().fileno(), socket.AF_INET, socket.SOCK_STREAM)
        plain.shutdown(socket.SHUT_RDWR)


def step(words):
    print(words, flush=True)


refused = Device("wrong", password="99999999-2222-4333-8444-5555555fffff")
assert refused.code.is_failure, f"a wrong token was let in: {refused.code}"
refused.mqtt.loop_stop()
step(f"a wrong token is refused: {refused.code}")

one = Device("one")
assert not one.code.is_failure, f"refused: {one.code}"
step("connected with the token")

other = Device("other")
other.subscribe(f"{tag}/qos/#", 2)
for qos in (0, 1, 2):
    one.publish(f"{tag}/qos/{qos}", f"qos {qos}", qos)
    message = other.message(f"qos {qos}")
    assert message.qos == qos and message.topic == f"{tag}/qos/{qos}" and not message.retain
step("published and received at QoS 0, 1 and 2")

one.publish(f"{tag}/kept", "kept", 1, retain=True)
late = Device("late")
late.subscribe(f"{tag}/kept", 1)
assert late.message("kept").retain, "the retain flag is missing"
one.publish(f"{tag}/kept", "", 1, retain=True)
late.message("")
after = Device("after")
after.subscribe(f"{tag}/kept", 1)
one.publish(f"{tag}/kept", "live", 1)
assert not after.message("live").retain, "what was cleared came"
step("retained, received, cleared")

other.subscribe(f"{tag}/will", 1)
lost = Device("lost", will=(f"{tag}/will", "gone"))
assert not lost.code.is_failure
lost.cut()
other.message("gone")
step("the will of a lost client came")

group = [Device("group0"), Device("group1")]
together = queue.Queue()
for member in group:
    member.messages = together
    member.subscribe(f"$share/{tag}/{tag}/shared", 1)
for number in range(20):
    one.publish(f"{tag}/shared", str(number), 1)
got = [int(together.get(timeout=SOON).payload) for _ in range(20)]
assert sorted(got) == list(range(20)), f"the group got {sorted(got)}"
step("a shared subscription had each message once")

for device in (one, other, late, after, *group):
    device.leave()
step("done")
