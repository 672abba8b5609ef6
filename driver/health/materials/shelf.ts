import type { Logger } from 'pino';
import type { Certificates } from '../../clouds/certificates/port';
import { type MaterialReference, materialKey } from '../../target/tls';
import { createBounded } from '../bounded';
import { type Material, type Reading, readMaterial } from './read';

/** What was read behind one reference. */
export interface Entry {
  readonly reference: MaterialReference;
  readonly reading: Reading;
  /** The last text, also when it cannot be had now. */
  readonly last: Material | undefined;
  /** By the injected clock. */
  readonly readAt: number;
}

/** What was read of the key manager, by `materialKey`. Keys are in this memory and nowhere else. */
export interface Shelf {
  get(key: string): Entry | undefined;
  entries(): Entry[];
  /** Reads it, or waits for who reads it now. Never throws. */
  renew(reference: MaterialReference): Promise<void>;
  keepOnly(keys: ReadonlySet<string>): void;
}

export interface ShelfDeps {
  /** Undefined where there is no key manager. */
  readonly certificates: Certificates | undefined;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** What engines would be told of it is not what it was. */
  readonly onChanged: (key: string) => void;
}

/** Calls under way to the key manager. */
const CONCURRENCY = 8;
/** Milliseconds that a key manager which did not answer, or a reference that led nowhere, is left alone. */
export const PAUSE = 5_000;

export function createShelf({ certificates, log, now, onChanged }: ShelfDeps): Shelf {
  const entries = new Map<string, Entry>();
  const underWay = new Map<string, Promise<void>>();
  const calls = createBounded(CONCURRENCY);
  let pausedUntil = 0;

  const ask = async (reference: MaterialReference): Promise<Reading> => {
    if (!certificates) return { problem: 'there is no key manager', unavailable: false };
    if (now() < pausedUntil) return { problem: 'the key manager cannot be asked', unavailable: true };
    const reading = await readMaterial(certificates, reference);
    if ('problem' in reading && reading.unavailable) pausedUntil = now() + PAUSE;
    return reading;
  };
  const read = async (key: string, reference: MaterialReference): Promise<void> => {
    const reading = await calls.run(() => ask(reference));
    const before = entries.get(key);
    const entry = {
      reference,
      reading,
      last: 'material' in reading ? reading.material : before?.last,
      readAt: now(),
    };
    entries.set(key, entry);
    if (before !== undefined && describe(before) === describe(entry)) return;
    if ('problem' in reading) log.warn({ ref: reference.ref, problem: reading.problem }, 'a certificate cannot be had');
    if (before !== undefined) onChanged(key);
  };
  return {
    get: (key) => entries.get(key),
    entries: () => [...entries.values()],
    renew(reference) {
      const key = materialKey(reference);
      const running = underWay.get(key) ?? read(key, reference).finally(() => underWay.delete(key));
      underWay.set(key, running);
      return running;
    },
    keepOnly(keys) {
      for (const key of [...entries.keys()].filter((it) => !keys.has(it))) entries.delete(key);
    },
  };
}

/** What engines are told, a text or why there is none: a key manager that is away changes nothing about what was had. */
export function toldOf({ reading, last }: Entry): Material | string {
  if ('material' in reading) return reading.material;
  return reading.unavailable && last ? last : reading.problem;
}

function describe(entry: Entry): string {
  const told = toldOf(entry);
  return typeof told === 'string' ? `problem ${told}` : told.digest;
}
