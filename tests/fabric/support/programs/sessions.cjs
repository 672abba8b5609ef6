/**
 * `sessions.cjs JSON`: clients with sessions, that go on until standard input ends, each request on a connection of its
 * own. {url, clients: [{from?, keepsCookies, rest?}], pause}: prints, for each client, who has answered and by which engines, as
 * JSON. Lines come first: `begun` once each client has had its first answer, `spread` once each has been answered by way of
 * `spread` engines. After an answer with a cookie it rests for `rest` ms.
 */
const { request } = require('node:http');

const { url, clients, spread = 0, pause = 50, timeout = 10_000 } = JSON.parse(process.argv[2]);
let isOver = false;
process.stdin.resume();
process.stdin.on('end', () => {
  isOver = true;
});

function once(client) {
  const cookie = [...client.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = client.keepsCookies && cookie !== '' ? { cookie } : {};
  const source = client.from === undefined ? {} : { localAddress: client.from };
  return new Promise((resolve) => {
    const fail = (error) => {
      client.failures.push(error.code ?? error.message);
      resolve();
    };
    const call = request(url, { agent: false, headers, timeout, ...source }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(new Error(`status ${response.statusCode}`));
        const { label, from } = JSON.parse(text);
        client.answers[label] = (client.answers[label] ?? 0) + 1;
        client.engines[from] = (client.engines[from] ?? 0) + 1;
        for (const line of response.headers['set-cookie'] ?? []) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
          client.jar.set(name, value);
        }
        resolve();
      });
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', fail);
    call.end();
  });
}

const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

async function rest(client) {
  if (client.jar.size === client.known) return;
  client.known = client.jar.size;
  await sleep(client.rest ?? 0);
}

let waiting = clients.length;

let isSpread = false;

function lookAround() {
  if (isSpread || waiting > 0 || all.some(({ engines }) => Object.keys(engines).length < spread)) return;
  isSpread = true;
  process.stdout.write('spread\n');
}

async function run(client) {
  await once(client);
  await rest(client);
  waiting -= 1;
  if (waiting === 0) process.stdout.write('begun\n');
  while (!isOver) {
    await once(client);
    lookAround();
    await sleep(pause);
    await rest(client);
  }
}

const all = clients.map((client) => ({ ...client, jar: new Map(), known: 0, answers: {}, engines: {}, failures: [] }));
void Promise.all(all.map(run)).then(() => {
  const result = all.map(({ answers, engines, failures }) => ({ answers, engines, failures }));
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
});
