/**
 * `answer.cjs LABEL PORT ADDRESS...`: an HTTP server that answers with its label and who has asked, after so many
 * milliseconds as the query's `after` says. Prints a line once it is up. SIGUSR2 has it refuse connections, and the next one answer again.
 */
const { randomUUID } = require('node:crypto');
const { createServer } = require('node:http');

const [label, port, ...addresses] = process.argv.slice(2);
let waiting = addresses.length;
// A server that refuses is nothing to stay for.
setInterval(() => undefined, 60_000);
for (const address of addresses) {
  const server = createServer((request, response) => {
    response.setHeader('x-label', label);
    // As applications do it that keep something for each visitor.
    if (!request.headers.cookie?.includes('session='))
      response.setHeader('set-cookie', `session=${label}-${randomUUID()}`);
    const body = JSON.stringify({ label, from: request.socket.remoteAddress });
    const after = Number(new URL(request.url, 'http://member').searchParams.get('after'));
    if (after > 0) setTimeout(() => response.end(body), after);
    else response.end(body);
  });
  // Clients close first, as browsers do.
  server.keepAliveTimeout = 60_000;
  process.on('SIGUSR2', () => {
    if (!server.listening) return server.listen({ host: address, port: Number(port) });
    server.close();
    server.closeAllConnections();
  });
  server.listen({ host: address, port: Number(port) }, () => {
    waiting -= 1;
    if (waiting === 0) process.stdout.write('up\n');
  });
}
