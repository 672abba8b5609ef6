import { randomUUID } from 'node:crypto';
import { type Db, dbNow, nowPlus } from './connect';
import type { InspectionRow } from './rows';

/**
 * What engines are asked when somebody looks into trouble. The API writes the question and reads the answer, which the
 * health-manager that holds the engine's connection writes: they are different processes.
 */

/** Seconds a question is good for. */
const KEPT = 60;

/** Asks the engines. Gives the ids of the questions, by engine. */
export async function askEngines(
  db: Db,
  loadBalancerId: string,
  engineIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const asked = new Map(engineIds.map((engineId) => [engineId, randomUUID()]));
  const rows = [...asked].map(([engineId, id]) => ({
    ...{ id, load_balancer_id: loadBalancerId, service_engine_id: engineId },
    ...{ state: 'asked', answer: null, expires_at: nowPlus(db, KEPT) },
  }));
  if (rows.length > 0) await db('inspection').insert(rows);
  return asked;
}

/** What has been answered of these: by question, as it came. */
export async function readAnswers(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows: Pick<InspectionRow, 'id' | 'answer'>[] = await db('inspection')
    .whereIn('id', ids)
    .whereNotNull('answer')
    .select('id', 'answer');
  return new Map(rows.map(({ id, answer }) => [id, answer ?? '']));
}

export async function forgetQuestions(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db('inspection').whereIn('id', ids).delete();
}

/** A question that an engine of a health-manager has not been asked yet. */
export type Question = Pick<InspectionRow, 'id' | 'load_balancer_id' | 'service_engine_id'>;

export function listQuestions(db: Db, connectedTo: string): Promise<Question[]> {
  return db('inspection as i')
    .join('service_engine as e', 'e.id', 'i.service_engine_id')
    .where({ 'e.connected_to': connectedTo, 'i.state': 'asked' })
    .where('i.expires_at', '>', dbNow(db))
    .select('i.id', 'i.load_balancer_id', 'i.service_engine_id');
}

/** Takes a question for one that is being asked. False when somebody else was faster. */
export async function beginQuestion(db: Db, id: string): Promise<boolean> {
  return (await db('inspection').where({ id, state: 'asked' }).update({ state: 'told' })) === 1;
}

/** Only the engine that was asked may answer, and once. */
export async function answerQuestion(db: Db, id: string, given: { engineId: string; answer: string }): Promise<void> {
  const question = { id, service_engine_id: given.engineId, state: 'told' };
  await db('inspection').where(question).update({ state: 'done', answer: given.answer });
}

/** Deletes what nobody asks any more. */
export async function purgeInspections(db: Db): Promise<void> {
  await db('inspection').where('expires_at', '<=', dbNow(db)).delete();
}
