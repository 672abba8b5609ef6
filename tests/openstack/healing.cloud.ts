import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../support/wait';
import type { Client } from './hosts/endpoints';
import { cutPower } from './hosts/machines';
import { type Balancer, type Engine, PATIENCE, type Stage, setStage } from './hosts/stage';
import { answersOf, isBack, outageOf } from './hosts/traffic';
import { readLab } from './lab';

/** Milliseconds between the requests of a client. */
const PACE = 100;
const OPERATOR = '/v2/slipstream';
const lab = readLab();

/**
 * What becomes of load balancers whose engines are lost, by whatever Nova says of the servers. What was measured goes into
 * the lab's figures-healing.json.
 */
describe('healing with Nova', () => {
  jest.setTimeout(3 * PATIENCE);
  const figures: Record<string, number> = {};
  let stage: Stage;
  let balancers: readonly Balancer[];
  let since = '';

  beforeAll(async () => {
    stage = await setStage(lab);
    await stage.keepSpare(1);
    const first = await stage.createBalancer('first');
    await stage.becomesActive(first);
    const second = await stage.createBalancer('second');
    await stage.becomesActive(second);
    balancers = [first, second];
    await enginesOnce('there is an engine and a spare one', (all) => all.length === 2 && all.every(isReady));
  }, 3 * PATIENCE);
  beforeEach(() => {
    since = new Date().toISOString().slice(0, 19);
  });
  afterAll(async () => {
    console.info(`healing in the lab: ${JSON.stringify(figures)}`);
    writeFileSync(path.join(lab.directory, 'figures-healing.json'), JSON.stringify(figures, null, 2));
    await stage?.dispose();
  }, 3 * PATIENCE);

  const isReady = ({ status }: Engine) => status === 'READY';

  async function enginesOnce(what: string, holds: (all: readonly Engine[]) => boolean): Promise<readonly Engine[]> {
    let all: readonly Engine[] = [];
    await waitUntil(what, PATIENCE, async () => {
      all = await stage.engines();
      return holds(all);
    });
    return all;
  }

  /** Events of this test, newest first, of a name. */
  async function told(name: string): Promise<{ readonly message: string }[]> {
    const { events } = await stage.admin.ask(
      'load-balancer',
      'GET',
      `${OPERATOR}/events?name=${name}&sort=created_at:desc&limit=50`,
    );
    return events.filter(({ created_at: at }: { created_at: string }) => at >= since);
  }
  const isTold = (name: string, words: RegExp) =>
    waitUntil(`${name} says ${words}`, PATIENCE, async () =>
      (await told(name)).some(({ message }) => words.test(message)),
    );

  /** Nova takes one request at a time for a server. */
  async function idle(id: string | undefined) {
    let found: { readonly image: { readonly id: string } } | undefined;
    await waitUntil(`nothing is under way for server ${id}`, PATIENCE, async () => {
      const { server } = await stage.admin.ask('compute', 'GET', `/servers/${id}`);
      found = server;
      return server.status === 'ACTIVE' && server['OS-EXT-STS:task_state'] === null;
    });
    if (!found) throw new Error(`server ${id} is not there`);
    return found;
  }

  const serves = async () => {
    for (const { vip } of balancers) {
      expect(await answersOf(stage.tenant, `http://${vip}/`)).toEqual(['member-0', 'member-1']);
    }
  };

  it('moves what a dead engine served to a spare one first, then boots another, and removes the server that still seems to run', async () => {
    const [lost] = await Promise.all(balancers.map((each) => stage.serverOf(each)));
    const spare = (await stage.engines()).find(({ compute_id: id }) => id !== lost);
    const clients = balancers.map(({ vip }) => stage.tenant.ask(`http://${vip}/`, PACE));
    try {
      await waitUntil('all are answered', PATIENCE, () => clients.every(isBack));
      const began = Date.now();
      cutPower(lab, lost ?? '');
      await waitUntil('nobody is answered', PATIENCE, () => clients.every((client) => outageOf(client, began) > 0));
      await waitUntil('all are answered again', PATIENCE, () => clients.every(isBack));
      figures['ms without answers, the longer of two load balancers'] = Math.max(...clients.map(lastedFrom(began)));
      for (const balancer of balancers) expect(await stage.serverOf(balancer)).toBe(spare?.compute_id);

      await enginesOnce('the buffer is there again', (all) => all.filter(isReady).length === 2);
      figures['ms until the buffer was there again'] = Date.now() - began;
      const isGone = async () => (await stage.admin.find('compute', `/servers/${lost}`)) === undefined;
      await waitUntil('the dead server is gone', PATIENCE, isGone);
      figures['ms until the dead server was gone'] = Date.now() - began;
    } finally {
      for (const client of clients) client.stop();
    }
    await serves();
  });

  it('keeps an engine whose server somebody else has moved to another host, and knows where it is', async () => {
    const [balancer] = balancers as [Balancer];
    const moved = await stage.serverOf(balancer);
    const hostOf = async (): Promise<string> =>
      (await stage.admin.ask('compute', 'GET', `/servers/${moved}`)).server['OS-EXT-SRV-ATTR:host'];
    const before = await hostOf();

    await idle(moved);
    const live = { host: null, block_migration: false, disk_over_commit: false };
    await stage.admin.ask('compute', 'POST', `/servers/${moved}/action`, { 'os-migrateLive': live });

    await waitUntil('Nova has moved it', PATIENCE, async () => (await hostOf()) !== before);
    const known = async () => (await stage.engines()).find(({ compute_id: id }) => id === moved)?.host;
    await waitUntil('it is known', PATIENCE, async () => (await known()) === (await hostOf()));
    expect(await stage.serverOf(balancer)).toBe(moved);
    await serves();
  });

  it('reboots an engine by call once what was on it has moved', async () => {
    const left = await stage.serverOf(balancers[0] as Balancer);
    const engine = (await stage.engines()).find(({ compute_id: id }) => id === left);
    const clients = balancers.map(({ vip }) => stage.tenant.ask(`http://${vip}/`, PACE));
    try {
      await waitUntil('all are answered', PATIENCE, () => clients.every(isBack));
      const began = Date.now();
      await stage.admin.ask('load-balancer', 'POST', `${OPERATOR}/service-engines/${engine?.id}/reboot`);
      await isTold('ENGINE_REBOOTED', /./);
      figures['ms until an engine was rebooted'] = Date.now() - began;
      await waitUntil('all are answered', PATIENCE, () => clients.every(isBack));
      figures['ms without answers while it was'] = Math.max(...clients.map(lastedFrom(began)));
    } finally {
      for (const client of clients) client.stop();
    }
    expect(await stage.serverOf(balancers[0] as Balancer)).not.toBe(left);
    const back = (await stage.engines()).find(({ id }) => id === engine?.id);
    expect(back).toMatchObject({ status: 'READY', compute_id: left });
    await serves();
  });

  it('changes nothing when most engines of a group are lost at once, says so, and finds them again', async () => {
    await stage.keepSpare(2);
    const engines = await enginesOnce('there are three', (all) => all.length === 3 && all.every(isReady));
    const servers = engines.map(({ compute_id: id }) => id ?? '');
    for (const server of servers) cutPower(lab, server);

    await isTold('HEALING_STOPPED', /3 of 3 engines of group \S+ are silent/);
    expect((await stage.engines()).map(({ id }) => id).sort()).toEqual(engines.map(({ id }) => id).sort());

    for (const server of servers) {
      await stage.admin.ask('compute', 'POST', `/servers/${server}/action`, { reboot: { type: 'HARD' } });
    }
    const back = await enginesOnce('they are back', (all) => all.every(isReady));
    expect(back.map(({ compute_id: id }) => id).sort()).toEqual(servers.sort());
    await serves();
  });

  it('replaces an engine whose server somebody else has rebuilt', async () => {
    const [balancer] = balancers as [Balancer];
    const rebuilt = await stage.serverOf(balancer);
    const server = await idle(rebuilt);

    const rebuild = { imageRef: server.image.id };
    await stage.admin.ask('compute', 'POST', `/servers/${rebuilt}/action`, { rebuild });

    // By Nova's word for it, or by its new disk's, whichever comes first.
    await waitUntil('it is told', PATIENCE, async () => {
      const all = [...(await told('ENGINE_REBUILT')), ...(await told('ENGINE_LOST'))];
      return all.some(({ message }) => /disk was replaced|was rebuilt/.test(message));
    });
    const isElsewhere = async () => (await stage.serverOf(balancer)) !== rebuilt;
    await waitUntil('another engine serves', PATIENCE, isElsewhere);
    await serves();
  });
});

const lastedFrom = (since: number) => (client: Client) => outageOf(client, since);
