/**
 * `bfd.cjs JSON`: BFD (RFC 5880, 5881) as the agent of a vRouter speaks it, on the interface of one machine. {local, remote,
 * interval, timeout, multiplier}, milliseconds. Prints `up` and `down`. Until it has been up nothing is down: the agent
 * takes a machine for alive until it has missed it.
 */
const { createSocket } = require('node:dgram');
const { randomInt } = require('node:crypto');

const { local, remote, interval, timeout, multiplier } = JSON.parse(process.argv[2]);
const PORT = 3784;
const [DOWN, INIT, UP] = [1, 2, 3];
/** Microseconds: nobody sends faster before a session is up. */
const SLOW = 1_000_000;
const own = randomInt(1, 2 ** 32 - 1);
let state = DOWN;
let far = { discriminator: 0, multiplier: 3, transmit: SLOW, receive: 0 };
let heard = 0;

const receiver = createSocket({ type: 'udp4', reuseAddr: true });
const sender = createSocket('udp4');

function turn(next) {
  if (next === state) return;
  if (next === UP) process.stdout.write('up\n');
  if (state === UP) process.stdout.write('down\n');
  state = next;
  send(false);
}

function send(isFinal) {
  const packet = Buffer.alloc(24);
  packet[0] = 1 << 5;
  packet[1] = (state << 6) | (isFinal ? 0x10 : 0);
  packet[2] = multiplier;
  packet[3] = 24;
  packet.writeUInt32BE(own, 4);
  packet.writeUInt32BE(far.discriminator, 8);
  packet.writeUInt32BE(state === UP ? interval * 1000 : SLOW, 12);
  packet.writeUInt32BE(timeout * 1000, 16);
  sender.send(packet, PORT, remote, () => undefined);
}

function hear(packet) {
  if (packet.length < 24 || packet[0] >> 5 !== 1) return;
  const said = packet[1] >> 6;
  far = {
    discriminator: packet.readUInt32BE(4),
    multiplier: packet[2],
    transmit: packet.readUInt32BE(12),
    receive: packet.readUInt32BE(16),
  };
  heard = performance.now();
  if (packet[1] & 0x20) send(true);
  if (said === 0) return turn(DOWN);
  if (state === DOWN && said === DOWN) turn(INIT);
  else if ((state === DOWN && said === INIT) || (state === INIT && said >= INIT)) turn(UP);
  else if (state === UP && said === DOWN) turn(DOWN);
}

/** What has come is looked at before anybody is missed, however late this process is. */
function look() {
  setImmediate(() => {
    const patience = (far.multiplier * Math.max(timeout * 1000, far.transmit)) / 1000;
    if (state !== DOWN && performance.now() - heard > patience) {
      far = { ...far, discriminator: 0 };
      turn(DOWN);
    }
  });
}

function beat() {
  send(false);
  const pause = state === UP ? Math.max(interval, far.receive / 1000) : SLOW / 1000;
  // Between three quarters and all of it: RFC 5880, section 6.8.7.
  setTimeout(beat, pause * (0.75 + Math.random() * 0.25));
}

receiver.on('message', (packet, { address }) => address === remote && hear(packet));
receiver.bind(PORT, local, () =>
  sender.bind(randomInt(49_152, 65_535), local, () => {
    sender.setTTL(255);
    beat();
    setInterval(look, 20);
  }),
);
