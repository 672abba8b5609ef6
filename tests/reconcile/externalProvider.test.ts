import type { Db } from '../../driver/db/connect';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertLoadBalancer } from '../support/rows';

let db: Db;
let lab: Lab;
beforeEach(async () => {
  db = await openTestDatabase();
  lab = await startLab(db, { bootsNothing: true });
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

it('leaves a load balancer alone that another provider carries out, and its lease free', async () => {
  const pending = { provisioning_status: 'PENDING_CREATE', generation: 1, settled_generation: 0 } as const;
  const theirs = await insertLoadBalancer(db, { ...pending, provider: 'theirs' });
  const ours = await insertLoadBalancer(db, { ...pending, provider: 'octavia' });
  const parts = lab.parts({ externalProviders: new Set(['theirs']) });

  expect(await reconcileLoadBalancer(parts, theirs.id)).toEqual({ kind: 'settled' });
  expect(await reconcileLoadBalancer(parts, ours.id)).toEqual({ kind: 'settled' });

  expect(await lab.row(theirs.id)).toMatchObject({ provisioning_status: 'PENDING_CREATE', lease_owner: null });
  expect((await lab.row(ours.id)).provisioning_status).toBe('ACTIVE');
});
