/**
 * node crowd.cjs HOST PORT COUNT: opens connections one after the other, begins a request of many headers on each and never
 * ends it. Says `full` once all are open; ends when its standard input does.
 */
const { connect } = require('node:net');

const [host, port, count] = process.argv.slice(2);
const header = `X-Long: ${'x'.repeat(2000)}\r\n`;
const begun = `GET / HTTP/1.1\r\nHost: crowd\r\n${header.repeat(6)}`;

let open = 0;
function next() {
  if (open === Number(count)) return void process.stdout.write('full\n');
  open += 1;
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => undefined);
  socket.once('connect', () => socket.write(begun));
  setImmediate(next);
}

next();
process.stdin.resume().once('end', () => process.exit());
