import pino from 'pino';
import { HINTS_TOPIC } from '../../driver/bus/port';
import type { ContrailDriver } from '../../driver/clouds/contrail/port';
import { UnavailableError } from '../../driver/domain/errors';
import { type HousekeepingSettings, housekeepingJobs } from '../../driver/housekeeping/jobs';
import { insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';
import { type AuditStage, openAuditStage } from '../support/wiringAudit';

jest.setTimeout(120_000);

let stage: AuditStage;
afterEach(() => stage.lab.close());

const VMI = 'virtual-machine-interface';
const SETTINGS: HousekeepingSettings = {
  ...{ sweepInterval: 10, relayInterval: 10, auditInterval: 60, cleanupInterval: 600, loadBalancerExpiryAge: 600 },
  ...{ eventRetention: 600, leftoverPortAge: 600, ownerTag: 'slipstream', quotaRecountInterval: 600 },
};

/** What housekeeping does about the wiring, once. */
function audit(settings: Partial<HousekeepingSettings> = {}, given: Partial<ContrailDriver> = {}): () => Promise<void> {
  const { db, bus, driver, network, wiring } = stage.lab;
  const { healthCheck } = wiring.settings;
  const jobs = housekeepingJobs({
    ...{ db, bus, network, owner: 'h', settings: { ...SETTINGS, ...settings }, now: () => new Date() },
    log: pino({ level: 'silent' }),
    wiring: {
      driver: { ...driver, ...given },
      settings: { ownerTag: 'slipstream', grace: 600, follow: 8, plugs: false, healthCheck },
    },
  });
  expect(jobs.map(({ name }) => name)).not.toContain('audit');
  return jobs.find(({ name }) => name === 'wiring_audit')?.run ?? (() => Promise.reject(new Error('no audit')));
}

it('tells of what has drifted before units look by themselves and put it right without a word', async () => {
  stage = await openAuditStage();
  const lb = await stage.served();
  const [engine] = stage.engines;
  const port = engine?.portId ?? '';
  await waitUntil('everybody is done', 20_000, async () => {
    const busy = (table: string) => stage.lab.db(table).whereNotNull('lease_owner').select('id');
    return (await Promise.all([busy('load_balancer'), busy('service_engine')])).flat().length === 0;
  });
  await stage.put(VMI, port, { virtual_machine_interface_allowed_address_pairs: { allowed_address_pair: [] } });

  await audit({ unitRounds: 1 })();

  expect(stage.lab.pairsOf(port)).toEqual([{ address: lb.address, mode: 'active-active' }]);
  const told = (await stage.told()).map((it) => it.split(':')[0]);
  expect(told).toEqual(['WIRING_DRIFTED', 'WIRING_REPAIRED']);
});

it('looks at every unit by itself once in ten audits, a tenth each time, also while Contrail is away', async () => {
  stage = await openAuditStage({}, {}, { works: false });
  const { db, bus } = stage.lab;
  for (let count = 0; count < 35; count += 1) await insertLoadBalancer(db);
  const hinted: string[] = [];
  const subscription = await bus.subscribe(HINTS_TOPIC, ({ method, args }) => {
    if (method === 'load_balancer') hinted.push(String(args['id']));
  });
  const run = audit({}, { inventory: () => Promise.reject(new UnavailableError('away')) });
  const perRound: number[] = [];
  for (let round = 0; round < 19; round += 1) {
    const before = hinted.length;
    await expect(run()).rejects.toThrow('away');
    await new Promise((resolve) => setImmediate(resolve));
    perRound.push(hinted.length - before);
  }
  await subscription.close();
  expect(perRound).toEqual([...Array(9).fill(0), ...Array(8).fill(4), 3, 0]);
  expect([...hinted].sort()).toEqual((await db('load_balancer').pluck('id')).sort());
});
