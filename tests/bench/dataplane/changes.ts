import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../support/apiClient';
import { quantile } from '../figures';

/** Where a change is made and seen. */
export interface ChangeScene {
  readonly client: ApiClient;
  readonly loadBalancerId: string;
  readonly poolId: string;
  readonly host: string;
  readonly port: number;
  /** Ports of members that answer, each another text; the first is in the pool. */
  readonly backends: readonly [number, number];
}

const TIMES = 25;
const PATIENCE = 20_000;

export const CHANGE_HEADINGS = ['change', 'to traffic p50 ms', 'p95 ms'];

/** From the request of a change to the first answer that shows it, for changes of members, weights and listeners. */
export async function timeChanges(scene: ChangeScene): Promise<(string | number)[][]> {
  return [
    row('a member joins', await repeat(() => timeMember(scene))),
    row('a weight rises from 0', await timeWeights(scene)),
    row('a listener comes', await repeat((index) => timeListener(scene, scene.port + 1 + index))),
  ];
}

function row(what: string, times: readonly number[]): (string | number)[] {
  return [what, quantile(times, 0.5).toFixed(0), quantile(times, 0.95).toFixed(0)];
}

async function repeat(once: (index: number) => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < TIMES; index += 1) times.push(await once(index));
  return times;
}

async function timeMember({ client, loadBalancerId, poolId, host, port, backends }: ChangeScene): Promise<number> {
  const members = `/pools/${poolId}/members`;
  const started = performance.now();
  const body = { address: '127.0.0.1', protocol_port: backends[1] };
  const { id } = await client.create<{ id: string }>(members, 'member', body);
  const time = await untilAnswered(started, host, port, 'ok1');
  await client.settled(loadBalancerId);
  await client.request('DELETE', `${members}/${id}`);
  await client.settled(loadBalancerId);
  return time;
}

async function timeWeights(scene: ChangeScene): Promise<number[]> {
  const { client, loadBalancerId, poolId, host, port, backends } = scene;
  const members = `/pools/${poolId}/members`;
  const body = { address: '127.0.0.1', protocol_port: backends[1], weight: 0 };
  const { id } = await client.create<{ id: string }>(members, 'member', body);
  await client.settled(loadBalancerId);
  const setWeight = (weight: number) => client.request('PUT', `${members}/${id}`, { member: { weight } });
  const times = await repeat(async () => {
    const started = performance.now();
    await setWeight(1);
    const time = await untilAnswered(started, host, port, 'ok1');
    await client.settled(loadBalancerId);
    await setWeight(0);
    await client.settled(loadBalancerId);
    return time;
  });
  await client.request('DELETE', `${members}/${id}`);
  await client.settled(loadBalancerId);
  return times;
}

async function timeListener(scene: ChangeScene, port: number): Promise<number> {
  const { client, loadBalancerId, poolId, host } = scene;
  const started = performance.now();
  const body = { protocol: 'HTTP', protocol_port: port, loadbalancer_id: loadBalancerId, default_pool_id: poolId };
  const { id } = await client.create<{ id: string }>('/listeners', 'listener', body);
  const time = await untilAnswered(started, host, port, 'ok0');
  await client.settled(loadBalancerId);
  await client.request('DELETE', `/listeners/${id}`);
  await client.settled(loadBalancerId);
  return time;
}

/** Milliseconds until the text is answered; asks again every millisecond. */
async function untilAnswered(started: number, host: string, port: number, text: string): Promise<number> {
  while (performance.now() - started < PATIENCE) {
    if ((await answerOf(host, port)) === text) return performance.now() - started;
    await sleep(1);
  }
  throw new Error(`${host}:${port} does not answer ${text}`);
}

/** Over a connection of its own; null when there is no answer. */
function answerOf(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    get({ host, port, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.once('end', () => resolve(body)).once('error', () => resolve(null));
    }).once('error', () => resolve(null));
  });
}
