/**
 * `askFrom.cjs URL PORT...`: sends an HTTP request from each of these ports, and prints by port whom the answerer has seen,
 * as JSON. The ports must be free.
 */
const { request } = require('node:http');

const [url, ...ports] = process.argv.slice(2);

function ask(localPort) {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, localPort: Number(localPort), timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve([localPort, JSON.parse(text).from.replace('::ffff:', '')]));
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', reject);
    call.end();
  });
}

void Promise.all(ports.map(ask)).then((all) => process.stdout.write(JSON.stringify(Object.fromEntries(all))));
