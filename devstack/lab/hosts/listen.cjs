/**
 * Opens listening sockets in the namespace it was started in, hands them to the process that started it, and ends: a
 * socket stays in the namespace where it was opened. `node listen.cjs <address> <port> <address> <port> ...`
 */
const { createServer } = require('node:net');

const words = process.argv.slice(2);
const wanted = Array.from({ length: words.length / 2 }, (_, at) => ({
  host: words[2 * at],
  port: Number(words[2 * at + 1]),
}));

const listen = (at) => {
  if (at === wanted.length) {
    process.disconnect();
    return;
  }
  const server = createServer();
  server.once('error', (error) => {
    process.send({ error: `${wanted[at].host}:${wanted[at].port}: ${error.message}` }, () => process.exit(1));
  });
  server.listen(wanted[at], () => process.send({ at }, server, () => server.close(() => listen(at + 1))));
};
listen(0);
