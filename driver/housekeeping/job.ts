import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import { releaseJobLease, takeJobLease } from '../db/jobLeases';
import { createLoops, type Loops } from '../telemetry/loops';
import type { JobMetrics } from './metrics';

/** Something done again and again by one process of all. What it does may be done twice, and half. */
export interface Job {
  /** Of its lease. */
  readonly name: string;
  /** Seconds between the end of one run and the start of the next. */
  readonly interval: number;
  run(): Promise<void>;
}

export interface JobRunnerDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Holder of the leases: new for every process. */
  readonly owner: string;
  /** 0 to 1; processes that started together drift apart by it. */
  readonly random?: () => number;
  /** Told of the rounds. */
  readonly loops?: Loops;
  readonly metrics?: JobMetrics;
}

/** Jobs that are being run in their intervals. */
export interface JobRunner {
  /** Starts nothing more, waits for the runs under way, and lets other processes take over at once. */
  close(): Promise<void>;
}

/** The first run of a process comes soon: there may be a predecessor's work to take up. Seconds. */
const FIRST_RUN = 1;
/** How much of an interval is left to chance. */
const JITTER = 0.2;
/** A holder that died is replaced after this many seconds, or two intervals. */
const LEASE_SECONDS = 30;
/** A job that has not ended well for so many of its intervals, and a minute, makes the process ill. */
const LATE_INTERVALS = 3;
const LATE_SECONDS = 60;

export function startJobs(jobs: readonly Job[], deps: JobRunnerDeps): JobRunner {
  const loops = jobs.map((job) => startLoop(job, deps));
  return {
    async close() {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
}

function startLoop(job: Job, deps: JobRunnerDeps): JobRunner {
  const { log, random = Math.random, loops = createLoops() } = deps;
  const lease = holdLease(job, deps);
  const rounds = loops.watch(`job ${job.name}`, LATE_INTERVALS * job.interval + LATE_SECONDS);
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const turn = async (): Promise<void> => {
    try {
      if (await lease.hold()) await runJob(job, deps);
      rounds.ended();
    } catch (err) {
      rounds.broke(err);
      log.warn({ err, job: job.name }, 'a periodic job broke off; it is run again');
    }
    if (!closed) plan(job.interval);
  };
  const plan = (interval: number): void => {
    const seconds = interval * (1 - JITTER / 2 + JITTER * random());
    timer = setTimeout(() => {
      running = turn();
    }, seconds * 1000);
  };
  plan(Math.min(job.interval, FIRST_RUN));
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      rounds.stop();
      await lease.release();
    },
  };
}

async function runJob(job: Job, { metrics }: JobRunnerDeps): Promise<void> {
  const from = performance.now();
  const seconds = (): number => (performance.now() - from) / 1000;
  try {
    await job.run();
    metrics?.ran(job.name, seconds(), 'done');
  } catch (error) {
    metrics?.ran(job.name, seconds(), 'broken');
    throw error;
  }
}

interface HeldLease {
  /** True when this process is to run the job now. */
  hold(): Promise<boolean>;
  release(): Promise<void>;
}

/** Asks the database only when less than half of the time is left. */
function holdLease({ name, interval }: Job, { db, log, owner }: JobRunnerDeps): HeldLease {
  const seconds = Math.max(LEASE_SECONDS, 2 * interval);
  let held: { epoch: number; until: number } | undefined;
  return {
    async hold() {
      const now = performance.now();
      if (held && held.until - now > seconds * 500) return true;
      const lease = await takeJobLease(db, { name, owner, seconds });
      held = lease && { epoch: lease.epoch, until: now + seconds * 1000 };
      return held !== undefined;
    },
    async release() {
      if (!held) return;
      try {
        await releaseJobLease(db, { name, owner, epoch: held.epoch });
      } catch (err) {
        log.warn({ err, job: name }, 'the lease of a job could not be given back; it ends by itself');
      }
    },
  };
}
