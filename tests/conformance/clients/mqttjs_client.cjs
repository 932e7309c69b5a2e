// What a device that uses MQTT.js does with a broker, from connecting to shared subscriptions.
//
// mqttjs_client.cjs URL CA USER TOKEN VERSION TAG
//
// URL is mqtt, mqtts, ws or wss; CA is a file with the authority of the server's certificate, or "-"; VERSION is 3 (3.1),
// 4 (3.1.1) or 5; TAG keeps this run's names apart. Prints each step; the exit code is 0 only when all of them worked.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const mqtt = require('mqtt');

const SOON = 15_000;
const [url, ca, username, token, version, tag] = process.argv.slice(2);

/** Fails when a promise takes too long. */
function soon(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), SOON);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A client whose messages wait in a list until somebody asks. */
class Device {
  #waiting = [];
  #asking = [];

  constructor(name, { password = token, will } = {}) {
    this.mqtt = mqtt.connect(url, {
      clientId: tag + name,
      username,
      password,
      will,
      protocolVersion: Number(version),
      protocolId: version === '3' ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
      ...(ca === '-' ? {} : { ca: fs.readFileSync(ca) }),
    });
    this.connected = new Promise((resolve, reject) => {
      this.mqtt.once('connect', resolve);
      this.mqtt.once('error', reject);
    });
    this.mqtt.on('message', (topic, payload, packet) => {
      const message = { topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain };
      this.deliver(message);
    });
  }

  deliver(message) {
    const asking = this.#asking.shift();
    if (asking) asking(message);
    else this.#waiting.push(message);
  }

  async subscribe(topic, qos) {
    const [granted] = await soon('SUBACK', this.mqtt.subscribeAsync(topic, { qos }));
    assert.strictEqual(granted.qos, qos, `${topic} was granted QoS ${granted.qos}`);
  }

  publish(topic, payload, options) {
    return soon('an acknowledgement', this.mqtt.publishAsync(topic, payload, options));
  }

  next() {
    const waiting = this.#waiting.shift();
    return waiting ?? soon('a message', new Promise((resolve) => this.#asking.push(resolve)));
  }

  async message(payload) {
    const message = await this.next();
    assert.strictEqual(message.payload, payload);
    return message;
  }
}

async function enter(name, options) {
  const device = new Device(name, options);
  await soon('CONNACK', device.connected);
  return device;
}

async function main() {
  const refused = new Device('wrong', { password: '99999999-2222-4333-8444-5555555fffff' });
  await assert.rejects(soon('a refusal', refused.connected), /not auth|bad user/i);
  refused.mqtt.end(true);
  console.log('a wrong token is refused');

  const one = await enter('one');
  console.log('connected with the token');

  const other = await enter('other');
  await other.subscribe(`${tag}/qos/#`, 2);
  for (const qos of [0, 1, 2]) {
    await one.publish(`${tag}/qos/${qos}`, `qos ${qos}`, { qos });
    const message = await other.message(`qos ${qos}`);
    assert.deepStrictEqual([message.topic, message.qos, message.retain], [`${tag}/qos/${qos}`, qos, false]);
  }
  console.log('published and received at QoS 0, 1 and 2');

  await one.publish(`${tag}/kept`, 'kept', { qos: 1, retain: true });
  const late = await enter('late');
  await late.subscribe(`${tag}/kept`, 1);
  assert.ok((await late.message('kept')).retain, 'the retain flag is missing');
  await one.publish(`${tag}/kept`, '', { qos: 1, retain: true });
  await late.message('');
  const after = await enter('after');
  await after.subscribe(`${tag}/kept`, 1);
  await one.publish(`${tag}/kept`, 'live', { qos: 1 });
  assert.ok(!(await after.message('live')).retain, 'what was cleared came');
  console.log('retained, received, cleared');

  await other.subscribe(`${tag}/will`, 1);
  const lost = await enter('lost', { will: { topic: `${tag}/will`, payload: 'gone', qos: 1, retain: false } });
  lost.mqtt.stream.destroy();
  await other.message('gone');
  console.log('the will of a lost client came');

  const group = [await enter('group0'), await enter('group1')];
  const together = group[0];
  group[1].deliver = (message) => together.deliver(message);
  for (const member of group) await member.subscribe(`$share/${tag}/${tag}/shared`, 1);
  const got = [];
  for (let number = 0; number < 20; number += 1) await one.publish(`${tag}/shared`, String(number), { qos: 1 });
  for (let number = 0; number < 20; number += 1) got.push(Number((await together.next()).payload));
  got.sort((a, b) => a - b);
  assert.deepStrictEqual(got, [...Array(20).keys()]);
  console.log('a shared subscription had each message once');

  for (const device of [one, other, late, after, ...group]) await device.mqtt.endAsync();
  console.log('done');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
