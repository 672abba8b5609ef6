import type { Config } from '../config/config';
import { databaseVersion, upgradeDatabase } from '../db/migrate';
import { withDatabase } from './database';

/** `db upgrade`. @returns what there is to tell */
export async function upgrade(config: Config): Promise<string> {
  const ran = await withDatabase(config, (db) => upgradeDatabase(db));
  return ran.length > 0 ? ran.map((name) => `done: ${name}`).join('\n') : 'nothing to do';
}

/** `db version`. @returns what there is to tell */
export async function describeVersion(config: Config): Promise<string> {
  const { current, latest, pending, unknown } = await withDatabase(config, (db) => databaseVersion(db));
  const lines = [`database: ${current ?? 'empty'}`, `program:  ${latest}`];
  if (pending.length > 0) lines.push(`pending:  ${pending.join(', ')}`);
  if (unknown.length > 0) lines.push(`unknown:  ${unknown.join(', ')}`);
  return lines.join('\n');
}
