import { ENGINES_TOPIC } from '../../../driver/bus/port';
import {
  type CaptureRead,
  countCaptures,
  deleteCapture,
  insertCapture,
  listCaptureEngines,
  listCaptures,
  readCaptureFile,
  stopCapture,
} from '../../../driver/db/captures';
import { toApiTime } from '../../../driver/db/codecs';
import { type Db, inTransaction } from '../../../driver/db/connect';
import { recordEvents } from '../../../driver/db/events';
import { loadTree } from '../../../driver/db/tree';
import { ConflictError, NotFoundError } from '../../../driver/domain/errors';
import { mergeCaptures } from '../../../driver/domain/pcapng';
import type { Caller, CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';

type View = Schemas['CaptureView'];

/** Captures at a time of load balancers of one project, and of all; and those whose packets are kept. */
const MOST_OF_PROJECT = 4;
const MOST_RUNNING = 16;
const MOST_KEPT = 64;

const DEFAULTS = { filter: '', duration: 30, packets: 10_000, size: 8 * 1024 * 1024 };

/**
 * Has packets captured on all engines of the load balancer that live.
 * @throws NotFoundError, ConflictError when there is no engine, or too many captures
 */
export async function createCapture(
  deps: CommandDeps,
  caller: Caller,
  { loadBalancerId, body }: { loadBalancerId: string; body: Schemas['CaptureCreate'] },
): Promise<View> {
  const asked = { ...DEFAULTS, ...body };
  const id = deps.newId();
  await inTransaction(deps.db, async (trx) => {
    const { projectId } = await findLoadBalancer(trx, loadBalancerId);
    const engines = await listCaptureEngines(trx, loadBalancerId);
    if (engines.length === 0)
      throw new ConflictError(`Load Balancer ${loadBalancerId} is on no engine that is connected.`);
    await refuseTooMany(trx, projectId);
    const size = Math.floor(asked.size / engines.length);
    const { userId } = caller.identity;
    const { requestId } = caller;
    await insertCapture(trx, { ...asked, id, loadBalancerId, projectId, size, engines, userId, requestId });
    const filter = asked.filter === '' ? 'no filter' : `filter "${asked.filter}"`;
    const bounds = `${asked.duration} s, ${asked.packets} packets, ${asked.size} bytes at most`;
    const message = `packets are captured on ${engines.length} engines with ${filter}: ${bounds}`;
    await recordCall(trx, caller, { name: 'CAPTURE_STARTED', message, loadBalancerId, projectId, id });
  });
  await tellEngines(deps);
  return viewOf(await findCapture(deps.db, id));
}

export async function listCapturesOf(db: Db, loadBalancerId: string): Promise<View[]> {
  await findLoadBalancer(db, loadBalancerId);
  return (await listCaptures(db, { load_balancer_id: loadBalancerId })).map(viewOf);
}

/** @throws NotFoundError */
export async function showCapture(db: Db, id: string): Promise<View> {
  return viewOf(await findCapture(db, id));
}

/** Ends a capture that is running, whose packets stay; deletes one that is over. @throws NotFoundError */
export async function endCapture(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  const capture = await findCapture(deps.db, id);
  const running = viewOf(capture).state === 'running';
  await inTransaction(deps.db, async (trx) => {
    await (running ? stopCapture(trx, id) : deleteCapture(trx, id));
    const about = { loadBalancerId: capture.load_balancer_id, projectId: capture.project_id, id };
    const [name, message] = running
      ? ['CAPTURE_STOPPED', 'a capture of packets is stopped']
      : ['CAPTURE_DELETED', 'a capture of packets is deleted'];
    await recordCall(trx, caller, { name, message, ...about });
  });
  if (running) await tellEngines(deps);
}

/** The packets of all engines as one file, in the order of time. @throws NotFoundError */
export async function downloadCapture(deps: CommandDeps, caller: Caller, id: string): Promise<Buffer> {
  const { parts, load_balancer_id: loadBalancerId, project_id: projectId } = await findCapture(deps.db, id);
  const files: { engine: string; file: Buffer }[] = [];
  for (const { engine_id: engineId, engine_name: engine } of parts) {
    files.push({ engine, file: await readCaptureFile(deps.db, id, engineId) });
  }
  const call = { name: 'CAPTURE_READ', message: 'captured packets are handed out', loadBalancerId, projectId, id };
  await recordCall(deps.db, caller, call);
  return mergeCaptures(files);
}

async function findLoadBalancer(db: Db, id: string) {
  const tree = await loadTree(db, id);
  if (!tree) throw new NotFoundError('Load Balancer', id);
  return tree;
}

async function findCapture(db: Db, id: string): Promise<CaptureRead> {
  const [capture] = await listCaptures(db, { id });
  if (!capture) throw new NotFoundError('Capture', id);
  return capture;
}

async function refuseTooMany(trx: Db, projectId: string): Promise<void> {
  const { kept, running, runningOfProject } = await countCaptures(trx, projectId);
  if (runningOfProject >= MOST_OF_PROJECT) {
    throw new ConflictError(`${runningOfProject} captures of project ${projectId} are running: no more at a time.`);
  }
  if (running >= MOST_RUNNING) throw new ConflictError(`${running} captures are running: no more at a time.`);
  if (kept >= MOST_KEPT) throw new ConflictError(`${kept} captures are kept: delete one, or wait until one expires.`);
}

/** A hint: lost, it is found by the health-managers' next comparison. */
async function tellEngines({ bus, log }: CommandDeps): Promise<void> {
  await bus.broadcast(ENGINES_TOPIC, { method: 'captures', args: {} }).catch((err: unknown) => {
    log.warn({ err }, 'health-managers will find the capture by themselves');
  });
}

interface Call {
  readonly name: string;
  readonly message: string;
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly id: string;
}

async function recordCall(db: Db, caller: Caller, { name, message, id, ...about }: Call): Promise<void> {
  const event = { name, severity: 'info' as const, message, resourceType: 'capture', resourceId: id };
  await recordEvents(db, [event], { ...about, requestId: caller.requestId, userId: caller.identity.userId });
}

function viewOf(row: CaptureRead): View {
  const overdue = Number(row.overdue) === 1;
  const engines = row.parts.map((part) => {
    const lost = overdue && part.state !== 'done';
    return {
      id: part.engine_id,
      name: part.engine_name,
      state: (lost ? 'done' : part.state) as 'asked' | 'running' | 'done',
      packets: part.packets,
      bytes: part.bytes,
      problem: lost ? 'the engine did not answer' : part.problem,
    };
  });
  return {
    id: row.id,
    loadbalancer_id: row.load_balancer_id,
    project_id: row.project_id,
    filter: row.filter,
    duration: row.duration,
    packets: row.packets,
    size: row.size * row.parts.length,
    state: engines.every(({ state }) => state === 'done') ? 'done' : 'running',
    created_at: toApiTime(row.created_at),
    expires_at: toApiTime(row.expires_at),
    engines,
  };
}
