import { waitUntil } from '../support/wait';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';

/** Sessions that cannot be, and what operators hear of them. */

const BGP = { vip_mode: 'bgp', isFloating: false } as const;
const OWN_AS = 65_100;

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.site.close();
  stage = undefined;
});

async function open(settings: string): Promise<Stage> {
  stage = await openStage({
    ...{ settings, health: { networkPatience: 3_000, reviewInterval: 1_000 } },
    housekeeping: { auditInterval: 1 },
  });
  return stage;
}

const portsOf = ({ site }: Stage): string[] =>
  site.cloud.contrail.contrail.store
    .list('bgp-as-a-service')
    .flatMap(({ refs }) => (refs['virtual-machine-interface'] ?? []).map(({ uuid }) => uuid));

async function sessionsOf(one: Stage): Promise<string[]> {
  return (await Promise.all(portsOf(one).map((port) => one.site.fabric.controlNodes.sessionsOf(port)))).flat();
}

const isServed = async (one: Balanced) => asked('it is served', one, isAnsweredBy(2));

/** Waits for an event that says so. */
async function isTold({ site }: Stage, name: string, words: RegExp): Promise<void> {
  let messages: string[] = [];
  await waitUntil(`${name}: ${words}`, PATIENCE, async () => {
    messages = await site.db('event').where({ name }).pluck('message');
    return messages.some((message) => words.test(message));
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${messages.join('; ')}`);
  });
}

it('tells of a secret that keeps sessions down behind translation, with the advice to do without', async () => {
  const one = await open(
    '[contrail]\nbgp_md5_groups = default\n[certificates]\nserver_certs_key_passphrase = of-the-test-and-long-enough-32chr',
  );
  await balance(one, { mode: BGP });

  await isTold(one, 'BGP_SESSION_DOWN', /does not come up: an MD5 secret is set: .*translates.*try without/);

  const sessions = await sessionsOf(one);
  expect(sessions).toHaveLength(4);
  expect(sessions).not.toContain('ESTABLISHED');
}, 240_000);

it('tells that the control nodes have taken the engines’ AS, and serves again when they have another one', async () => {
  const one = await open('');
  const { store } = one.site.cloud.contrail.contrail;
  const made = await balance(one, { mode: BGP });
  await isServed(made);
  const [system] = store.list('global-system-config');
  const change = async (autonomous_system: number) => {
    const body = { 'global-system-config': { autonomous_system } };
    const url = `${one.site.cloud.contrail.contrail.url}/global-system-config/${system?.uuid}`;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  };

  await change(OWN_AS);
  await isTold(one, 'BGP_AS_TAKEN', /^iBGP: AS 65100 of the engines/);
  await waitUntil('no session is left', PATIENCE, async () => (await sessionsOf(one)).every((it) => it === 'NONE'));
  await waitUntil('it is the reason of each', PATIENCE, async () => {
    const reasons: (string | null)[] = await one.site.db('bgp_session').pluck('reason');
    return reasons.length === 4 && reasons.every((reason) => reason?.startsWith('iBGP: AS 65100'));
  });

  await change(64_999);
  await isTold(one, 'BGP_AS_OK', /AS 64999/);
  await isServed(made);
}, 300_000);
