import { appendFileSync } from 'node:fs';
import { waitUntil } from '../support/wait';
import { findFaults, waitForRest } from './invariants';
import { createLoadBalancers, removeLoadBalancers, type Tally } from './load';
import { type ChaosSite, openChaosSite, type Role, type SiteOptions } from './site';

/** One line of the report that the run ends with. */
export interface Finding {
  readonly drill: string;
  readonly operations: number;
  /** Accepted, and not there or not ACTIVE afterwards, or still there though it was to go. */
  readonly lost: number;
  /** Still being changed at the end of the time given. */
  readonly stuck: number;
  /** Milliseconds from the end of the trouble until nothing was under way. */
  readonly recovery: number;
}

/** The long forms, by `-- --full`. */
export const FULL = process.env['SLIPSTREAM_FULL'] === 'yes';

/** A site under drill: writes that are counted, and the judgement at the end of each trouble. */
export interface Drill {
  readonly site: ChaosSite;
  write(prefix: string, count: number, options?: { concurrency?: number; pace?: number }): Promise<Tally>;
  /** Deletes what a tally of `write` has accepted. */
  remove(written: Tally): Promise<Tally>;
  /** Ends all processes of the role, by SIGKILL. */
  killAll(role: Role): Promise<void>;
  /**
   * The trouble is over: waits until nothing is under way and holds the site against what was accepted.
   * @throws when something was lost, is stuck, or is not as it must be
   */
  judge(name: string, tallies: readonly Tally[], more?: { within?: number; removed?: Tally }): Promise<Finding>;
}

/** How many processes of each role stand at the beginning. */
export type Crew = Readonly<Partial<Record<Role, number>>>;

const WHOLE_CREW: Crew = { 'health-manager': 2, housekeeping: 2, worker: 2, api: 2 };

export async function openDrill(crew: Crew = WHOLE_CREW, options: SiteOptions = {}): Promise<Drill> {
  const site = await openChaosSite(options);
  try {
    // Engines call as soon as there is somebody to call.
    for (const [role, count] of Object.entries({ ...WHOLE_CREW, ...crew }) as [Role, number][]) {
      await Promise.all(Array.from({ length: count }, () => site.start(role)));
    }
    await waitUntil('there is an engine', 30_000, async () => (await readyEngines(site)) > 0);
  } catch (error) {
    const logs = site.logs();
    await site.dispose();
    throw new Error(`the site does not come up:\n${logs}`, { cause: error });
  }
  return {
    site,
    write: (prefix, count, { concurrency = 8, pace = 0 } = {}) =>
      createLoadBalancers({ apis: () => site.actors('api').map(({ url }) => url), prefix, count, concurrency, pace }),
    async remove({ accepted }) {
      const ids: string[] = await site.db('load_balancer').whereIn('name', accepted).pluck('id');
      return removeLoadBalancers({ apis: () => site.actors('api').map(({ url }) => url), ids, concurrency: 4 });
    },
    killAll: async (role) => {
      await Promise.all(site.actors(role).map((actor) => actor.kill()));
    },
    judge: (name, tallies, { within = 60_000, removed = NOTHING } = {}) =>
      judge(site, { name, tallies, within, removed }),
  };
}

async function readyEngines({ db }: ChaosSite): Promise<number> {
  const rows: unknown[] = await db('service_engine').where({ status: 'READY' }).whereNotNull('connected_to');
  return rows.length;
}

const NOTHING: Tally = { accepted: [], unclear: [], statuses: {} };

interface Verdict {
  readonly name: string;
  readonly tallies: readonly Tally[];
  readonly within: number;
  readonly removed: Tally;
}

async function judge(site: ChaosSite, { name, tallies, within, removed }: Verdict): Promise<Finding> {
  let stuck = '';
  const recovery = await waitForRest(site.db, within).catch((error: Error) => {
    stuck = error.message;
    return within;
  });
  let faults: string[] = [];
  await waitUntil('nothing is wrong', 15_000, async () => {
    faults = await findFaults(site.db, site.yard.engines);
    return faults.length === 0;
  }).catch(() => undefined);
  const lost = [...(await findLost(site, tallies)), ...(await findLeft(site, removed))];
  const operations = [...tallies, removed].reduce(
    (sum, tally) => sum + tally.accepted.length + tally.unclear.length,
    0,
  );
  const finding = {
    drill: name,
    operations,
    lost: lost.length,
    stuck: stuck === '' ? 0 : Number.parseInt(stuck, 10),
    recovery: Math.round(recovery),
  };
  report(finding);
  if (stuck !== '' || faults.length > 0 || lost.length > 0) {
    const found = [stuck, `lost: ${lost.slice(0, 5)}`, ...faults.slice(0, 10)].join('\n');
    throw new Error(`after "${name}":\n${found}\n${site.logs()}`);
  }
  return finding;
}

/** What was accepted and is not there; what has no name of its own is there only whole, which `findFaults` sees. */
async function findLost({ db }: ChaosSite, tallies: readonly Tally[]): Promise<string[]> {
  const names: string[] = await db('load_balancer').where({ provisioning_status: 'ACTIVE' }).pluck('name');
  const there = new Set(names);
  return tallies.flatMap(({ accepted }) => accepted.filter((name) => !there.has(name)));
}

/** What was to go and is still there. What engines hold of it `findFaults` sees. */
async function findLeft({ db }: ChaosSite, { accepted }: Tally): Promise<string[]> {
  return db('load_balancer').whereIn('id', accepted).whereNot('provisioning_status', 'DELETED').pluck('name');
}

/** Read by `devstack/test-chaos.cjs`. */
function report(finding: Finding): void {
  const file = process.env['SLIPSTREAM_CHAOS_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(finding)}\n`);
}
