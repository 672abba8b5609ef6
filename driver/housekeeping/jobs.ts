import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { NetworkDriver } from '../clouds/network/port';
import { purgeCaptures } from '../db/captures';
import type { Db } from '../db/connect';
import { purgeInspections } from '../db/inspections';
import { deleteOutbox, listLeftoverOutbox } from '../db/outbox';
import { recountQuotas } from '../db/quotas';
import {
  countRows,
  listGuardedLoadBalancers,
  listIdsAfter,
  listLostEngines,
  listLostLoadBalancers,
  listOverdueLoadBalancers,
  purgeEvents,
  purgeLoadBalancers,
} from '../db/work';
import { createWiringAudit, type WiringAuditSettings } from '../drift/audit';
import { tellingOutage } from '../drift/tellCloud';
import { expireLoadBalancer } from '../reconcile/expire';
import type { Job } from './job';
import { createLeftoverPortSearch } from './leftoverPorts';
import { type Teller, tellEvents, tellNotifications } from './notify';

export interface HousekeepingDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly log: Logger;
  readonly owner: string;
  readonly settings: HousekeepingSettings;
  readonly now: () => Date;
  /** Absent: nobody listens. Notifications that were left are thrown away. */
  readonly teller?: Teller;
  /** Where VIPs are wired in Contrail: what is compared there. */
  readonly wiring?: { readonly driver: ContrailDriver; readonly settings: WiringAuditSettings };
  /** Whether those who listen are told of our own events too. */
  readonly tellsEvents?: boolean;
}

/** Seconds. */
export interface HousekeepingSettings {
  readonly sweepInterval: number;
  readonly relayInterval: number;
  /** In so much time everything is looked at once, a slice at a time. */
  readonly auditInterval: number;
  /** Audits in bulk in which each unit is looked at by itself once; absent: as usual. */
  readonly unitRounds?: number;
  readonly cleanupInterval: number;
  readonly loadBalancerExpiryAge: number;
  readonly eventRetention: number;
  readonly leftoverPortAge: number;
  /** What everything of this installation bears in the clouds. */
  readonly ownerTag: string;
  readonly quotaRecountInterval: number;
}

/** Rows handled at a time. */
const BATCH = 500;
/** Younger outbox rows are still in the hands of the process that wrote them. Seconds. */
const RELAY_AGE = 3;
/** Seconds after a deadline in which a worker may end the change itself. */
const EXPIRY_GRACE = 15;
/** An audit of everything in so many slices. */
const AUDIT_SLICES = 60;
/** Where the wiring is compared in bulk, units that do not differ are looked at one by one in so many intervals only. */
const BULK_ROUNDS = 10;

/** What housekeeping does, less the fleet's part. */
export function housekeepingJobs(deps: HousekeepingDeps): readonly Job[] {
  const { settings, teller } = deps;
  return [
    { name: 'sweep', interval: settings.sweepInterval, run: () => sweep(deps) },
    { name: 'relay', interval: settings.relayInterval, run: () => relay(deps) },
    { name: 'notifications', interval: settings.relayInterval, run: () => tellNotifications(deps) },
    ...(teller && deps.tellsEvents
      ? [{ name: 'tell_events', interval: settings.relayInterval, run: () => tellEvents(deps.db, teller) }]
      : []),
    ...auditJobs(deps),
    { name: 'purge', interval: settings.cleanupInterval, run: () => purge(deps) },
    { name: 'leftover_ports', interval: settings.cleanupInterval, run: createLeftoverPortSearch(deps) },
    { name: 'quota_recount', interval: settings.quotaRecountInterval, run: () => recount(deps) },
  ];
}

function auditJobs({ wiring, ...deps }: HousekeepingDeps): Job[] {
  const { auditInterval } = deps.settings;
  if (!wiring) {
    return [
      { name: 'audit', interval: auditInterval / AUDIT_SLICES, run: createAudit(deps, { slices: AUDIT_SLICES }) },
    ];
  }
  const compare = tellingOutage(deps.db, 'contrail', createWiringAudit({ ...deps, ...wiring }));
  const { unitRounds = BULK_ROUNDS } = deps.settings;
  const lookAtUnits = createAudit(deps, { slices: unitRounds, restsUntil: unitRounds });
  const audit = async (): Promise<void> => {
    // Whoever looks one by one puts right without a word what the audit in bulk would have told of: that goes first.
    await compare().finally(lookAtUnits);
    // What security groups let in is nobody's object: it is resolved by the load balancers' own runs.
    if (await isCrowded(deps.bus)) return;
    for (const id of await listGuardedLoadBalancers(deps.db)) await hint(deps.bus, 'load_balancer', id);
  };
  return [{ name: 'wiring_audit', interval: auditInterval, run: audit }];
}

/** Hints what was forgotten, and ends what is overdue and in nobody's hands. */
async function sweep(deps: HousekeepingDeps): Promise<void> {
  const { db, bus } = deps;
  for (const id of await listOverdueLoadBalancers(db, EXPIRY_GRACE, BATCH)) await expireLoadBalancer(deps, id);
  if (await isCrowded(bus)) return;
  for (const id of await listLostLoadBalancers(db, BATCH)) await hint(bus, 'load_balancer', id);
  for (const id of await listLostEngines(db, BATCH)) await hint(bus, 'engine', id);
}

/** Nobody takes what was hinted before: without this, hints would pile up for as long as there is no worker. */
async function isCrowded(bus: Bus): Promise<boolean> {
  return ((await bus.depth(HINTS_TOPIC)) ?? 0) >= BATCH;
}

async function hint(bus: Bus, method: 'load_balancer' | 'engine', id: string): Promise<void> {
  const about = method === 'load_balancer' ? { loadBalancerId: id } : {};
  await bus.publish(HINTS_TOPIC, { method, args: { id }, ...about });
}

/** Sends what a process could not send before it died; what the bus has confirmed leaves the table. */
async function relay({ db, bus, log }: HousekeepingDeps): Promise<void> {
  for (;;) {
    const messages = await listLeftoverOutbox(db, RELAY_AGE, BATCH);
    const outcomes = await Promise.allSettled(
      messages.map(({ topic, method, args, loadBalancerId }) =>
        bus.publish(topic, { method, args, ...(loadBalancerId !== null && { loadBalancerId }) }),
      ),
    );
    const sent = messages.filter((_, index) => outcomes[index]?.status === 'fulfilled').map(({ id }) => id);
    await deleteOutbox(db, sent);
    if (sent.length > 0) log.info({ messages: sent.length }, 'sent what the outbox still held');
    const refused = outcomes.find((it) => it.status === 'rejected');
    if (refused) throw refused.reason;
    if (messages.length < BATCH) return;
  }
}

interface AuditPace {
  /** Parts of everything, of which each run hints one. */
  readonly slices: number;
  /** Runs after which it begins anew, at the earliest: where few units are they have all been hinted before. */
  readonly restsUntil?: number;
}

/** Every run hints the next slice, so that each object's turn comes once an interval and never all at once. */
function createAudit(
  { db, bus }: Pick<HousekeepingDeps, 'db' | 'bus'>,
  { slices, restsUntil = 0 }: AuditPace,
): () => Promise<void> {
  const turn = (table: 'load_balancer' | 'service_engine', method: 'load_balancer' | 'engine') => {
    let after = '';
    let runs = 0;
    return async (): Promise<void> => {
      runs += 1;
      if (after === '') {
        if (runs < restsUntil) return;
        runs = 0;
      }
      const limit = Math.ceil((await countRows(db, table)) / slices);
      if (limit === 0) return;
      const ids = await listIdsAfter(db, table, { after, limit });
      for (const id of ids) await hint(bus, method, id);
      after = ids.length < limit ? '' : (ids.at(-1) ?? '');
    };
  };
  const loadBalancers = turn('load_balancer', 'load_balancer');
  const engines = turn('service_engine', 'engine');
  return async () => {
    if (await isCrowded(bus)) return;
    await loadBalancers();
    await engines();
  };
}

async function purge({ db, settings, log }: HousekeepingDeps): Promise<void> {
  const purged = await purgeLoadBalancers(db, settings.loadBalancerExpiryAge, BATCH);
  if (purged > 0) log.info({ loadBalancers: purged }, 'purged load balancers deleted long ago');
  while ((await purgeEvents(db, settings.eventRetention, BATCH)) === BATCH);
  await purgeCaptures(db);
  await purgeInspections(db);
}

async function recount({ db, log }: HousekeepingDeps): Promise<void> {
  const projects = await recountQuotas(db);
  if (projects.length > 0) log.warn({ projects }, 'the usage of quotas was wrong and has been counted anew');
}
