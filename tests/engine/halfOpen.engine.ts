import { countHalfOpen } from '../../driver/agent/serve/halfOpen';
import { createTopology } from '../support/namespaces';
import { waitUntil } from '../support/wait';

/** Sends what it has to say ten times a second. */
const CLIENT = `
  for (const host of ['127.0.0.1', '::1']) {
    const socket = require('node:net').connect(8080, host);
    setInterval(() => socket.write('x'), 100);
  }`;
const SERVER = "require('node:net').createServer((it) => it.resume()).listen(8080, '::')";
const SILENCE = 'add rule inet quiet out tcp dport 8080 tcp flags & (syn | ack) == ack drop';

const topology = createTopology();
afterAll(() => topology.dispose());

it('counts connections whose clients have not had the last word of the handshake, until they have', async () => {
  const machine = await topology.namespace('half');
  const count = (...addresses: string[]) => countHalfOpen(machine.name, addresses);
  await machine.run('nft', 'add table inet quiet; add chain inet quiet out { type filter hook output priority 0; }');
  await machine.run('nft', SILENCE);
  machine.spawn(process.execPath, ['-e', SERVER], { stdio: 'ignore' });
  await waitUntil('it listens', 30_000, async () => (await machine.run('ss', '-Hltn')).includes(':8080'));
  machine.spawn(process.execPath, ['-e', CLIENT], { stdio: 'ignore' });

  await waitUntil('both are half open', 30_000, async () => (await count('127.0.0.1', '::1')) === 2);
  expect([await count('127.0.0.1'), await count('::1'), await count('127.0.0.2'), await count()]).toEqual([1, 1, 0, 0]);

  await machine.run('nft', 'delete table inet quiet');
  await waitUntil('the handshakes are over', 30_000, async () => (await count('127.0.0.1', '::1')) === 0);
  expect(await machine.run('ss', '-Htn', 'state', 'established', 'src', '127.0.0.1:8080')).not.toBe('');
}, 120_000);
