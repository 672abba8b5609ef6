import { ipBatch } from '../../devstack/lab/hosts/shell';
import { waitUntil } from '../support/wait';
import { openSessions, type Session, type SessionClient } from './support/sessions';
import {
  asked,
  type Balanced,
  balance,
  isAnsweredBy,
  isFull,
  MODES,
  OUTSIDE,
  openStage,
  PATIENCE,
  plugOutsider,
  type Stage,
} from './support/stage';

const CLIENTS = isFull ? 30 : 8;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, 120_000);

afterAll(async () => {
  await stage?.site.close();
});

interface Kind {
  readonly name: string;
  readonly persistence: object;
  /** Of MODES: by floating IP for who is told apart by address. */
  readonly mode: number;
  client(index: number): SessionClient;
}

const addressOf = (index: number): string => `203.0.113.${100 + index}`;
const withCookies = (): SessionClient => ({ keepsCookies: true });
const KINDS: readonly Kind[] = [
  {
    ...{ name: 'SOURCE_IP', persistence: { type: 'SOURCE_IP' }, mode: 1 },
    client: (index) => ({ keepsCookies: false, from: addressOf(index) }),
  },
  { name: 'HTTP_COOKIE', persistence: { type: 'HTTP_COOKIE' }, mode: 0, client: withCookies },
  {
    ...{ name: 'APP_COOKIE', persistence: { type: 'APP_COOKIE', cookie_name: 'session' }, mode: 0 },
    // What one engine has learnt of a new client the others know a moment later.
    client: () => ({ keepsCookies: true, rest: 1000 }),
  },
];

interface Case extends Balanced {
  readonly kind: Kind;
}

const membersOf = ({ answers }: Session): string[] => Object.keys(answers);

it("holds by address and by cookie, ours and the application's, over a scale-out and a scale-in, whatever engine a request comes to", async () => {
  const { site, outsider, members } = stage;
  const cases: Case[] = [];
  for (const kind of KINDS) {
    const [mode = MODES[0]] = MODES.slice(kind.mode);
    if (mode)
      cases.push({ ...(await balance(stage, { mode, pool: { session_persistence: kind.persistence } })), kind });
  }
  await plugOutsider(stage);
  const own = Array.from({ length: CLIENTS }, (_, index) => addressOf(index));
  await ipBatch(
    outsider,
    own.map((address) => `address add ${address}/32 dev eth0`),
  );
  const allBy = (engines: number) =>
    Promise.all(
      cases.map((one) => asked(`${one.kind.name}: ${engines} engines`, one, isAnsweredBy(engines), { requests: 60 })),
    );
  const scale = async (verb: 'scaleout' | 'scalein') => {
    for (const { id } of cases)
      await site.api('POST', `/v2/slipstream/loadbalancers/${id}/${verb}`, { [verb]: { count: 1 } });
    await Promise.all(cases.map(({ id }) => site.reaches(id)));
  };
  await allBy(2);

  const asking = cases.map(({ asker, url, kind }) =>
    openSessions(
      asker,
      url,
      Array.from({ length: CLIENTS }, (_, index) => kind.client(index)),
      { spread: 3 },
    ),
  );
  await Promise.all(asking.map(({ begun }) => begun));
  await scale('scaleout');
  await allBy(3);
  // Connections are spread by their ports: sooner or later every session has been on every engine.
  await Promise.all(asking.map(({ spread }) => spread));
  await scale('scalein');
  await allBy(2);
  const sessions = await Promise.all(asking.map((one) => one.stop()));

  for (const [index, { kind }] of cases.entries()) {
    const of = sessions[index] ?? [];
    const told = `${kind.name}: ${JSON.stringify(of)}`;
    expect([told, of.map((one) => membersOf(one).length)]).toEqual([told, of.map(() => 1)]);
    expect(new Set(of.flatMap(membersOf))).toEqual(new Set(members.map(({ label }) => label)));
    expect(Math.min(...of.map(({ engines }) => Object.keys(engines).length))).toBeGreaterThanOrEqual(3);
    expect(of.flatMap(({ failures }) => failures).length).toBeLessThanOrEqual(CLIENTS);
  }
  expect(OUTSIDE.addresses[0]).not.toContain(addressOf(0));
}, 240_000);

it("keeps clients at their members by the application's cookie when an engine is killed, and when another takes over", async () => {
  const { site } = stage;
  const kind = KINDS.find(({ name }) => name === 'APP_COOKIE');
  const [mode] = MODES;
  if (!kind || !mode) throw new Error('there is nothing to try');
  const one = await balance(stage, { mode, pool: { session_persistence: kind.persistence } });
  await asked('two engines answer', one, isAnsweredBy(2), { requests: 60 });
  const sessions = openSessions(
    one.asker,
    one.url,
    Array.from({ length: CLIENTS }, (_, index) => kind.client(index)),
  );
  await sessions.begun;

  const placed = { load_balancer_id: one.id, deleting: 0 };
  const [lost = '']: string[] = await site.db('placement').where(placed).orderBy('id').pluck('service_engine_id');
  const { compute_id } = await site.db('service_engine').where({ id: lost }).first('compute_id');
  site.hypervisor.crash(compute_id);
  await waitUntil('another engine has taken over', PATIENCE, async () => {
    const engines: string[] = await site.db('placement').where(placed).pluck('service_engine_id');
    return engines.length === 2 && !engines.includes(lost);
  });
  await asked('two engines answer again', one, isAnsweredBy(2), { requests: 120 });

  const of = await sessions.stop();
  const told = JSON.stringify(of);
  expect([told, of.map((session) => membersOf(session).length)]).toEqual([told, of.map(() => 1)]);
  // The two it began with, and the one that took over.
  expect(new Set(of.flatMap(({ engines }) => Object.keys(engines))).size).toBe(3);
}, 240_000);
