import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { HINTS_TOPIC } from '../bus/port';
import type { Config } from '../config/config';
import { connectDatabase } from '../db/connect';
import { findImport } from '../db/octaviaImports';
import { confirmImport } from '../octaviaImport/confirm';
import type { ImportDeps, ImportSettings } from '../octaviaImport/deps';
import { type Judgement, judge } from '../octaviaImport/judge';
import { listOctaviaLoadBalancers, readOctaviaTree } from '../octaviaImport/source';
import { takeOver } from '../octaviaImport/take';
import { undoImport } from '../octaviaImport/undo';
import { openBus } from './bus';
import { withDatabase } from './database';
import { openDrivers } from './drivers';
import { type Format, formatMany } from './operator/output';

export interface ImportFlags {
  /** URL of Octavia's database. */
  readonly connection: string;
  readonly loadBalancer: readonly string[];
  readonly project: readonly string[];
  readonly take?: boolean;
  readonly undo?: boolean;
  readonly confirm?: boolean;
  /** Seconds. */
  readonly patience: number;
  readonly format: Format;
}

/** What there is to tell, and whether all of it went well. */
export interface ImportReport {
  readonly text: string;
  readonly failed: number;
}

const COLUMNS = ['id', 'name', 'project_id', 'vip_address', 'objects', 'action', 'detail'];

/**
 * `slipstream import-octavia`: shows what would be done, or does one step with each load balancer, one after another. One
 * that gets no further holds up no other.
 * @throws BadValueError, RangeError, DbUnavailableError for what cannot be opened
 */
export async function importOctavia(config: Config, log: Logger, flags: ImportFlags): Promise<ImportReport> {
  const octavia = await connectDatabase(flags.connection);
  const { drivers, close } = openDrivers(config, log);
  const bus = openBus(config, { log });
  try {
    return await withDatabase(config, (db) => {
      const deps: ImportDeps = {
        db,
        octavia,
        network: drivers.network,
        // A broker that is away is no reason to fail: the sweep finds what is to be done.
        hint: async (id) => {
          const sent = bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id }, loadBalancerId: id });
          await Promise.race([sent, sleep(HINT_BOUND, undefined, { ref: false })]).catch(() => undefined);
        },
        settings: settingsOf(config, flags),
        now: () => new Date(),
      };
      return run(deps, flags);
    });
  } finally {
    await Promise.all([octavia.destroy(), close(), bus.close()]);
  }
}

/** Milliseconds. */
const HINT_BOUND = 2_000;
const POLL = 100;

function settingsOf(config: Config, { patience }: ImportFlags): ImportSettings {
  return {
    providers: Object.keys(config.api_settings.enabled_provider_drivers),
    defaultProvider: config.api_settings.default_provider_driver,
    sctp: config.service_engine.sctp,
    patience,
    pendingDeadline: config.controller_worker.pending_deadline + config.service_engine.se_create_timeout,
    poll: POLL,
  };
}

/** Does what the flags say. */
export async function run(deps: ImportDeps, flags: ImportFlags): Promise<ImportReport> {
  const selection = { loadBalancerIds: flags.loadBalancer, projectIds: flags.project };
  const found = await listOctaviaLoadBalancers(deps.octavia, selection);
  const ids = [...new Set([...found, ...flags.loadBalancer])];
  const step = stepOf(flags);
  const lines: object[] = [];
  let failed = 0;
  for (const id of ids) {
    const before = await judgeOne(deps, id);
    if (!step || (step.only && before.action !== 'take' && !isBegun(before))) {
      lines.push(lineOf(before));
      continue;
    }
    try {
      const detail = await step.run(deps, id);
      lines.push({ ...lineOf(before), action: step.done, detail });
    } catch (error) {
      failed += 1;
      lines.push({
        ...lineOf(before),
        action: 'failed',
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return { text: formatMany(lines as never, COLUMNS, flags.format), failed };
}

interface Step {
  readonly done: string;
  /** Passes over what is refused. */
  readonly only: boolean;
  run(deps: ImportDeps, id: string): Promise<string>;
}

function stepOf({ take, undo, confirm }: ImportFlags): Step | undefined {
  if (take) return { done: 'taken', only: true, run: (deps, id) => takeOver(deps, id).then(() => UNTIL_CONFIRMED) };
  if (undo) return { done: 'given back', only: false, run: (deps, id) => undoImport(deps, id).then(() => '') };
  if (confirm) return { done: 'confirmed', only: false, run: confirmOne };
  return undefined;
}

const UNTIL_CONFIRMED = 'Octavia keeps it locked until --confirm, or --undo';

async function confirmOne(deps: ImportDeps, id: string): Promise<string> {
  const { servers, ports, securityGroups } = await confirmImport(deps, id);
  const unused = [...servers.map((it) => `server ${it}`), ...ports.map((it) => `port ${it}`)];
  const later = securityGroups.map((it) => `security group ${it}`);
  return [
    ...(unused.length === 0 ? [] : [`no longer used: ${unused.join(', ')}`]),
    ...(later.length === 0 ? [] : [`once it is deleted: ${later.join(', ')}`]),
  ].join('; ');
}

function isBegun({ action }: Judgement): boolean {
  return action !== 'refused';
}

async function judgeOne({ db, octavia, settings }: ImportDeps, id: string): Promise<Judgement> {
  const tree = await readOctaviaTree(octavia, id);
  const begun = await findImport(db, id);
  if (!tree) {
    const reasons = ['Octavia has no such load balancer'];
    return { id, name: '', projectId: '', vip: '', counts: {}, action: begun?.state ?? 'refused', reasons };
  }
  const known = (await db('load_balancer').where({ id }).first('id')) !== undefined;
  return judge(tree, { settings, begun, known });
}

function lineOf({ id, name, projectId, vip, counts, action, reasons }: Judgement): object {
  const objects = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return {
    ...{ id, name, project_id: projectId, vip_address: vip, objects: objects.join(', '), action },
    detail: reasons.join('; '),
  };
}
