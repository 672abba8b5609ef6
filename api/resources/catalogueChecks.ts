import { type Db, DuplicateKeyError } from '../../driver/db/connect';
import { groupNamedIn } from '../../driver/db/groups';
import { isGroup } from '../../driver/db/groupWrites';
import type { ReadModel } from '../../driver/db/read/model';
import { readOne } from '../../driver/db/read/model';
import {
  BadRequestError,
  ConflictError,
  InvalidOptionError,
  InvalidReferenceError,
  NotFoundError,
  UnsupportedOptionError,
} from '../../driver/domain/errors';
import type { Capability } from './profileValues';

/** The rules that flavors, availability zones and their profiles have in common. */

/** @throws InvalidOptionError for a field that is null */
export function refuseNulls(body: object, fields: readonly string[]): void {
  for (const [field, value] of Object.entries(body)) {
    if (value === null && fields.includes(field)) throw new InvalidOptionError('None', field);
  }
}

/** Also refuses the empty string a null once became. @throws InvalidOptionError */
export function required(value: string | null | undefined, field: string): string {
  if (value === null || value === undefined) throw new InvalidOptionError('None', field);
  return value;
}

/** @throws BadRequestError "Provider 'X' is not enabled." */
export function checkProvider(provider: string, providers: readonly string[]): void {
  if (!providers.includes(provider)) throw new BadRequestError(`Provider '${provider}' is not enabled.`);
}

/**
 * A profile's data: a JSON object whose keys and values the provider knows. Octavia, too, has its driver look at both.
 * @throws InvalidOptionError for what is no such JSON, UnsupportedOptionError for an unknown key, or a value it cannot have
 */
export function checkProfileData(
  text: string,
  { option, provider, known }: { option: string; provider: string; known: Readonly<Record<string, Capability>> },
): void {
  const data = parseObject(text);
  if (!data) throw new InvalidOptionError(text, option);
  for (const [key, value] of Object.entries(data)) {
    const capability = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!capability) {
      throw new UnsupportedOptionError(provider, `The ${option} key '${key}' is not supported by this provider.`);
    }
    if (!capability.takes(value)) {
      throw new UnsupportedOptionError(provider, `The value of the ${option} key '${key}' is not one it can have.`);
    }
  }
}

/**
 * A profile's data, already checked, may name a service engine group, which must be there.
 * @throws InvalidReferenceError
 */
export async function checkNamedGroup(db: Db, text: string): Promise<void> {
  const name = groupNamedIn(parseObject(text));
  if (name !== undefined && !(await isGroup(db, name))) throw new InvalidReferenceError('Service engine group', name);
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @throws NotFoundError */
export async function mustExist(db: Db, model: ReadModel, title: string, key: string): Promise<void> {
  if (!(await readOne(db, model, key))) throw new NotFoundError(title, key);
}

/** 409. */
export function inUse(title: string, key: string): ConflictError {
  return new ConflictError(`${title} ${key} is in use and cannot be modified.`);
}

/** Runs a write that meets a unique key, and says what is taken. */
export async function refuseDuplicates<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof DuplicateKeyError) throw new ConflictError(`A ${what} already exists.`);
    throw error;
  }
}

/** A flag of a POST: absent is true. @throws InvalidOptionError for null, which Octavia fails over */
export function enabledOr(value: boolean | null | undefined, fallback: boolean): boolean {
  if (value === null) throw new InvalidOptionError('None', 'enabled');
  return value ?? fallback;
}
