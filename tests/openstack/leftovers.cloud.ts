import { readFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { difference, type Inventory, takeInventory } from './inventory';
import { type Lab, readLab } from './lab';

const ENGINES = '/v2/slipstream/service-engines';

/** Comes after all other suites (sequencer.cjs), each of which has deleted its load balancers. */
describe('the cloud after everything was deleted', () => {
  let lab: Lab;
  let admin: Session;
  let before: Inventory;

  beforeAll(async () => {
    lab = readLab();
    admin = await logIn(lab.person('admin', 'admin'));
    before = JSON.parse(readFileSync(path.join(lab.directory, 'inventory-before.json'), 'utf8')) as Inventory;
  });

  it('has no engine left once its operator has retired the idle ones', async () => {
    await retireNewEngines();

    await waitUntil('the engines are gone', 120_000, async () => (await newEngines()).length === 0);
  });

  it('holds what it held before, and nothing else', async () => {
    let left: string[] = [];
    const settled = waitUntil('nothing is left over', 60_000, async () => {
      left = difference(await takeInventory(lab), before);
      return left.length === 0;
    });
    await settled.catch(() => undefined);

    expect(left).toEqual([]);
    expect(difference(before, await takeInventory(lab))).toEqual([]);
  });

  const engines = async (): Promise<{ id: string; compute_id: string | null }[]> =>
    (await admin.ask('load-balancer', 'GET', ENGINES)).service_engines;
  /** Those whose server was not there before. */
  const newEngines = async () => (await engines()).filter(({ compute_id: id }) => !(`server ${id}` in before));
  const retireNewEngines = async (): Promise<void> => {
    for (const { id } of await newEngines()) await admin.ask('load-balancer', 'DELETE', `${ENGINES}/${id}`);
  };
});
