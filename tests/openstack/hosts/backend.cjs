/** A member: answers every request with its name. `node backend.cjs <name> <port>` */
const { createServer } = require('node:http');

const [, , name, port] = process.argv;
createServer((_req, res) => res.end(name)).listen({ host: '::', port: Number(port) }, () =>
  process.stdout.write('up\n'),
);
