import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, ENGINES_TOPIC } from '../../bus/port';
import type { Db } from '../../db/connect';
import { askEngines, forgetQuestions, readAnswers } from '../../db/inspections';
import { type EngineFacts, Inspection } from '../../protocol/inspection';
import type { EngineRow, Read } from '../facts';
import { describe } from './read';

/** Milliseconds between two looks for answers, and that engines have for theirs. */
const PACE = 40;
const PATIENCE = 4_000;

export interface EngineDeps {
  readonly db: Db;
  readonly bus: Pick<Bus, 'broadcast'>;
}

/** Has the engines of a load balancer look how they serve it. */
export async function inspectEngines(
  deps: EngineDeps,
  loadBalancerId: string,
  engines: readonly EngineRow[],
): Promise<ReadonlyMap<string, Read<EngineFacts>>> {
  const found = new Map<string, Read<EngineFacts>>();
  for (const engine of engines.filter(({ connected }) => !connected)) {
    found.set(engine.id, { at: atOf(engine), problem: 'its agent is not connected' });
  }
  const present = engines.filter(({ connected }) => connected);
  try {
    for (const [id, read] of await ask(deps, loadBalancerId, present)) found.set(id, read);
  } catch (error) {
    for (const engine of present) found.set(engine.id, { at: atOf(engine), problem: describe(error) });
  }
  return found;
}

function atOf({ name }: EngineRow): string {
  return `engine ${name}, by its agent`;
}

async function ask(
  { db, bus }: EngineDeps,
  loadBalancerId: string,
  engines: readonly EngineRow[],
): Promise<ReadonlyMap<string, Read<EngineFacts>>> {
  const asked = await askEngines(
    db,
    loadBalancerId,
    engines.map(({ id }) => id),
  );
  const ids = [...asked.values()];
  try {
    // Lost, the health-managers find the question by themselves, if later.
    await bus.broadcast(ENGINES_TOPIC, { method: 'inspections', args: {} }).catch(() => undefined);
    const answers = await awaitAnswers(db, ids);
    return new Map(engines.map((engine) => [engine.id, readingOf(engine, answers.get(asked.get(engine.id) ?? ''))]));
  } finally {
    await forgetQuestions(db, ids);
  }
}

async function awaitAnswers(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const answers = await readAnswers(db, ids);
    if (answers.size === ids.length || performance.now() > until) return answers;
    await sleep(PACE);
  }
}

function readingOf(engine: EngineRow, answer: string | undefined): Read<EngineFacts> {
  const at = atOf(engine);
  if (answer === undefined) return { at, problem: `its agent has not answered within ${PATIENCE / 1_000} s` };
  const parsed = Inspection.safeParse(JSON.parse(answer));
  if (!parsed.success) return { at, problem: 'what its agent answered makes no sense' };
  const { facts, problem } = parsed.data;
  return facts === null ? { at, problem: problem ?? 'it told nothing' } : { at, value: facts };
}
