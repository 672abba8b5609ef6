/**
 * `ask.cjs JSON`: sends HTTP requests and prints what came, as JSON. {url, requests, parallel, headers, keepAlive, timeout}:
 * so many requests, each on a connection of its own unless `keepAlive`. With `untilTold`, goes on until standard input
 * ends, with `pause` milliseconds between the requests of each of the `parallel` clients.
 */
const { Agent, request } = require('node:http');

const asked = JSON.parse(process.argv[2]);
const { url, requests = 1, parallel = 1, headers = {}, keepAlive = false, timeout = 3000, untilTold = false } = asked;
const { pause = untilTold ? 20 : 0 } = asked;
const result = { answers: {}, failures: [], from: {}, statuses: {}, slow: [] };
/** As long as TCP waits, in milliseconds, before it sends again. */
const SLOW = 900;
let left = untilTold ? Number.POSITIVE_INFINITY : requests;
if (untilTold) {
  process.stdin.resume();
  process.stdin.on('end', () => {
    left = 0;
  });
}

function once(agent) {
  return new Promise((resolve) => {
    const started = Date.now();
    const fail = (error) => {
      result.failures.push({ at: started, error: error.code ?? error.message });
      resolve();
    };
    const call = request(url, { agent, headers, timeout }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => {
        result.statuses[response.statusCode] = (result.statuses[response.statusCode] ?? 0) + 1;
        if (response.statusCode !== 200) return fail(new Error(`status ${response.statusCode}`));
        const { label, from } = JSON.parse(text);
        result.answers[label] = (result.answers[label] ?? 0) + 1;
        result.from[from] = (result.from[from] ?? 0) + 1;
        const took = Date.now() - started;
        if (took >= SLOW) result.slow.push({ at: started, took });
        if (response.headers['set-cookie']) result.cookie = response.headers['set-cookie'][0];
        resolve();
      });
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', fail);
    call.end();
  });
}

let beginning = parallel;

async function client() {
  let isFirst = true;
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: false });
  while (left > 0) {
    left -= 1;
    await once(agent);
    if (isFirst) beginning -= 1;
    if (isFirst && beginning === 0) process.stdout.write('begun\n');
    isFirst = false;
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  agent.destroy();
}

void Promise.all(Array.from({ length: parallel }, client)).then(() => {
  process.stdout.write(`${beginning > 0 ? '\n' : ''}${JSON.stringify(result)}`, () => process.exit(0));
});
