import { createCertificates } from '../../driver/clouds/certificates/certificates';
import { createHttpSecretStore } from '../../driver/clouds/certificates/http';
import type { Db } from '../../driver/db/connect';
import { loadTree } from '../../driver/db/tree';
import { listIdsAfter } from '../../driver/db/work';
import { UnavailableError } from '../../driver/domain/errors';
import type { KeyManager } from '../../driver/reconcile/kinds/certificateConsumers';
import type { LoadBalancerParts } from '../../driver/reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { tendConsumers } from '../../driver/reconcile/tendConsumers';
import { describeOnDatabases } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertListener, insertLoadBalancer, insertPool } from '../support/rows';
import { aBarbican, listen } from '../support/simulators/barbican';
import { ownerOverHttp } from '../support/simulators/keyOwner';
import { waitUntil } from '../support/wait';

const LB = '11111111-2222-4333-8444-555555555555';
const API = 'https://lb.example.org';
const PAST = '2020-01-01 00:00:00.000';
const refOf = (name: string) => `http://keys/v1/containers/${name}`;

class Crash extends Error {}

/** Remembers who was registered where, as Barbican does: again and again is the same. */
class Register implements Pick<KeyManager['certificates'], 'registerConsumer' | 'unregisterConsumer'> {
  readonly consumers = new Set<string>();
  readonly names = new Set<string>();
  calls = 0;
  /** Called before each call; may throw. */
  trouble: (ref: string) => void | Promise<void> = () => undefined;

  registerConsumer = (ref: string, { name, url }: { name: string; url: string }) =>
    this.call(ref, () => {
      this.names.add(name);
      this.consumers.add(`${ref} ${url}`);
    });

  unregisterConsumer = (ref: string, { url }: { url: string }) =>
    this.call(ref, () => void this.consumers.delete(`${ref} ${url}`));

  private async call(ref: string, work: () => void): Promise<void> {
    this.calls += 1;
    await this.trouble(ref);
    work();
  }

  get all(): string[] {
    return [...this.consumers].sort();
  }
}

const use = (container: string, object: string) => `${refOf(container)} ${API}/v2/lbaas/${object}`;

describeOnDatabases('consumers of certificates', ({ open }) => {
  let db: Db;
  let lab: Lab;
  let register: Register;
  beforeEach(async () => {
    db = await open();
    lab = await startLab(db, { bootsNothing: true });
    register = new Register();
    await insertLoadBalancer(db, {
      id: LB,
      generation: 1,
      settled_generation: 0,
      provisioning_status: 'PENDING_CREATE',
    });
  });
  afterEach(async () => {
    await lab.close();
    await db.destroy();
  });

  const parts = (given: Partial<LoadBalancerParts> = {}) =>
    lab.parts({ keyManager: { certificates: register, apiUrl: API }, ...given });
  const run = (given: Partial<LoadBalancerParts> = {}) => reconcileLoadBalancer(parts(given), LB);
  const listener = (id: string, container: string | null) =>
    insertListener(db, { id, load_balancer_id: LB, tls_certificate_id: container && refOf(container) });
  const change = (generation: number) =>
    db('load_balancer').where({ id: LB }).update({ generation, provisioning_status: 'PENDING_UPDATE' });
  const startDelete = () =>
    db('load_balancer').where({ id: LB }).update({ generation: 9, deleting: 1, provisioning_status: 'PENDING_DELETE' });
  const statusOf = async () => (await lab.row(LB)).provisioning_status;
  const away = () => {
    throw new UnavailableError('The key manager does not answer.');
  };

  it('shows the key manager every listener and pool that uses a container, as Octavia', async () => {
    await listener('l1', 'web');
    await db('sni').insert([
      { listener_id: 'l1', tls_container_id: refOf('web'), position: 0 },
      { listener_id: 'l1', tls_container_id: refOf('sni'), position: 1 },
    ]);
    await listener('l2', 'web');
    await listener('l3', null);
    await insertPool(db, { id: 'p1', load_balancer_id: LB, tls_certificate_id: refOf('client') });

    expect(await run()).toEqual({ kind: 'settled' });

    const uses = [use('client', 'pools/p1'), use('sni', 'listeners/l1'), use('web', 'listeners/l1')];
    expect(register.all).toEqual([...uses, use('web', 'listeners/l2')]);
    expect([...register.names]).toEqual(['Octavia']);
    expect(await lab.row(LB)).toMatchObject({ provisioning_status: 'ACTIVE', lease_owner: null });
  });

  it('says nothing again while nothing changes', async () => {
    await listener('l1', 'web');
    await run();
    await run();

    expect(register.calls).toBe(1);
  });

  it('takes leave of what an update no longer uses, and keeps the URL it is known by', async () => {
    await listener('l1', 'old');
    await listener('l2', 'kept');
    await run();
    await db('listener')
      .where({ id: 'l1' })
      .update({ tls_certificate_id: refOf('new') });
    await change(2);
    await run({ keyManager: { certificates: register, apiUrl: 'https://elsewhere' } });

    expect(register.all).toEqual([
      use('kept', 'listeners/l2'),
      `${refOf('new')} https://elsewhere/v2/lbaas/listeners/l1`,
    ]);
  });

  it('takes leave of a listener that is deleted, even if it was the last one', async () => {
    await listener('l1', 'web');
    await run();
    await db('listener').where({ id: 'l1' }).update({ deleting: 1, provisioning_status: 'PENDING_DELETE' });
    await change(2);
    await run();

    expect([register.all, await db('certificate_consumer'), await db('listener')]).toEqual([[], [], []]);
  });

  it('takes leave of everything when the load balancer goes', async () => {
    await listener('l1', 'web');
    await insertPool(db, { id: 'p1', load_balancer_id: LB, tls_certificate_id: refOf('client') });
    await run();
    await startDelete();
    await run();

    expect([register.all, await db('certificate_consumer'), await statusOf()]).toEqual([[], [], 'DELETED']);
  });

  it('holds no change up while the key manager does not answer', async () => {
    let goOn = (): void => undefined;
    register.trouble = () =>
      new Promise((resolve) => {
        goOn = resolve;
      });
    await listener('l1', 'web');
    const running = run();
    await waitUntil('the key manager is asked', 5_000, () => register.calls === 1);

    expect(await statusOf()).toBe('ACTIVE');
    goOn();
    await running;
    expect(register.all).toEqual([use('web', 'listeners/l1')]);
  });

  it('settles without a key manager that is away, tells of it once, and tells it when it is back', async () => {
    register.trouble = away;
    await listener('l1', 'web');
    for (let audit = 0; audit < 3; audit += 1) expect(await run()).toEqual({ kind: 'settled' });

    expect([await statusOf(), register.calls]).toEqual(['ACTIVE', 3]);
    expect(await lab.events('CONSUMER_NOT_TOLD')).toMatchObject([{ resource_id: 'l1' }]);

    register.trouble = () => undefined;
    await run();
    expect(register.all).toEqual([use('web', 'listeners/l1')]);
    register.trouble = away;
    await run();
    expect(await lab.events('CONSUMER_NOT_TOLD')).toHaveLength(1);
  });

  it('leaves a deleted load balancer to the audit until the key manager has heard', async () => {
    await listener('l1', 'web');
    await run();
    register.trouble = away;
    await startDelete();
    await run();
    expect([await statusOf(), register.all.length]).toEqual(['DELETED', 1]);
    expect(await listIdsAfter(db, 'load_balancer', { after: '', limit: 5 })).toEqual([LB]);

    register.trouble = () => undefined;
    await run();
    expect(register.all).toEqual([]);
    expect(await listIdsAfter(db, 'load_balancer', { after: '', limit: 5 })).toEqual([]);
  });

  it('sees to the others when one is refused', async () => {
    register.trouble = (ref) => {
      if (ref === refOf('bad')) throw new Error('not with me');
    };
    await listener('l1', 'bad');
    await listener('l2', 'good');
    await run();
    await run();

    expect(register.all).toEqual([use('good', 'listeners/l2')]);
    expect(await lab.events('CONSUMER_NOT_TOLD')).toHaveLength(1);
  });

  it('leaves everything to a run that came after it', async () => {
    await listener('l1', 'web');
    const stale = await loadTree(db, LB);
    await db('listener').where({ id: 'l1' }).delete();
    await run();
    await tendConsumers(parts(), { id: LB, tree: stale });

    expect([register.calls, await lab.row(LB)]).toMatchObject([0, { lease_owner: null }]);
  });

  /** Runs until the fatal point with a worker that then does nothing more; another one comes when its lease is over. */
  async function playWithCrash(fatal: number): Promise<number> {
    let points = 0;
    const pass = (): void => {
      points += 1;
      if (points >= fatal) throw new Crash();
    };
    const crashing: KeyManager['certificates'] = {
      registerConsumer: (ref, consumer) => register.registerConsumer(ref, consumer).then(pass),
      unregisterConsumer: (ref, consumer) => register.unregisterConsumer(ref, consumer).then(pass),
    };
    const keyManager = { certificates: crashing, apiUrl: API };
    await run({ keyManager, trace: pass }).catch((error) => {
      if (!(error instanceof Crash)) throw error;
    });
    await db('load_balancer').update({ lease_until: PAST });
    await run();
    return points;
  }

  it('comes to the same end wherever a worker dies', async () => {
    await listener('l1', 'old');
    await run();
    const setOut = async (container: string, generation: number) => {
      await db('listener')
        .where({ id: 'l1' })
        .update({ tls_certificate_id: refOf(container) });
      await change(generation);
    };
    await setOut('c0', 2);
    const points = await playWithCrash(Number.POSITIVE_INFINITY);
    expect(points).toBeGreaterThan(5);
    for (let fatal = 1; fatal <= points; fatal += 1) {
      await setOut(`c${fatal}`, fatal + 2);
      await playWithCrash(fatal);

      expect({ fatal, all: register.all }).toEqual({ fatal, all: [use(`c${fatal}`, 'listeners/l1')] });
      expect(await db('certificate_consumer').select('registered', 'container_ref')).toMatchObject([
        { registered: 1, container_ref: refOf(`c${fatal}`) },
      ]);
    }
  });

  it('is told to a Barbican over HTTP', async () => {
    const site = await aBarbican();
    const server = await listen(site.face);
    const member = await site.caller('member', 'demo');
    const session = { token: async () => site.service.token, userId: async () => site.service.identity.userId };
    const store = createHttpSecretStore({ endpoint: async () => server.url, service: session });
    const owner = ownerOverHttp(server.url, member);
    const container = await owner.contain({ certificate: await owner.keep('cert') });
    await store.grantAccess(container, member);
    const keyManager = { certificates: createCertificates({ store }), apiUrl: API };
    const ref = `${server.url}/v1/containers/${container.id}`;
    await insertListener(db, { id: 'l1', load_balancer_id: LB, tls_certificate_id: ref });

    await run({ keyManager });
    expect(await owner.listConsumers(container)).toEqual([{ name: 'Octavia', url: `${API}/v2/lbaas/listeners/l1` }]);
    await startDelete();
    await run({ keyManager });
    expect(await owner.listConsumers(container)).toEqual([]);
    await store.close();
    await server.close();
  });
});
