/** `answer.cjs LABEL PORT ADDRESS...`: an HTTP server that answers with its label and who has asked. Prints a line once it is up. */
const { createServer } = require('node:http');

const [label, port, ...addresses] = process.argv.slice(2);
let waiting = addresses.length;
for (const address of addresses) {
  const server = createServer((request, response) => {
    response.setHeader('x-label', label);
    response.end(JSON.stringify({ label, from: request.socket.remoteAddress }));
  });
  // Clients close first, as browsers do.
  server.keepAliveTimeout = 60_000;
  server.listen({ host: address, port: Number(port) }, () => {
    waiting -= 1;
    if (waiting === 0) process.stdout.write('up\n');
  });
}
