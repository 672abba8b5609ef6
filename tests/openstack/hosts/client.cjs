/**
 * A client that never stops asking: a connection a request, begun every so many milliseconds whatever became of the ones
 * before, and a line of JSON for each. `node client.cjs <url> <milliseconds>`
 */
const [, , url, pace] = process.argv;
const { request } = require(url.startsWith('https:') ? 'node:https' : 'node:http');
const TIMEOUT = 1_000;

const ask = () => {
  const at = Date.now();
  const tell = (answer) => process.stdout.write(`${JSON.stringify({ at, took: Date.now() - at, ...answer })}\n`);
  let said = false;
  const once = (answer) => {
    if (!said) tell(answer);
    said = true;
  };
  const asking = request(url, { agent: false, timeout: TIMEOUT, rejectUnauthorized: false }, (res) => {
    let body = '';
    res.setEncoding('utf8').on('data', (part) => {
      body += part;
    });
    res.on('end', () => once({ status: res.statusCode, body }));
    res.on('error', (error) => once({ error: error.code }));
  });
  asking.on('timeout', () => asking.destroy(Object.assign(new Error('late'), { code: 'LATE' })));
  asking.on('error', (error) => once({ error: error.code }));
  asking.end();
};
ask();
setInterval(ask, Number(pace));
