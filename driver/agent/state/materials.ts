import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { materialsOf } from '../../protocol/materials';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { errorMessage } from '../systemError';
import { writeAtomically } from './files';
import { makePrivate } from './memoryDirectory';

/**
 * The certificates, keys, authorities and revocation lists of one load balancer: in memory file systems only, and gone
 * with it. Each is kept under the name of the place it fills.
 */
export interface MaterialStore {
  /** Why nothing can be kept here; null when it can. */
  readonly problem: string | null;
  /** Digest of what is kept under the name. */
  digestOf(name: string): string | undefined;
  /** @throws what the file system says, if nothing is there */
  read(name: string): Promise<string>;
  /** Keeps those texts (by digest) that the spec names. True if any of them is new here. Never throws: see `failureOf`. */
  take(spec: LoadBalancerSpec, texts: Readonly<Record<string, string>>): Promise<boolean>;
  /** What the file system said (ENOSPC, ...) when the text of the name was to be kept; undefined when all is well. */
  failureOf(name: string): string | undefined;
  /** Tries again to keep what could not be kept. */
  retry(): Promise<void>;
  /** Digests the spec names and this store has not. */
  lacking(spec: LoadBalancerSpec): string[];
  /** Forgets what none of the specs names. */
  keepOnly(specs: readonly LoadBalancerSpec[]): Promise<void>;
  /** Forgets everything, files of workers included. */
  clear(): Promise<void>;
}

const SUFFIX = '.pem';

/** Opens what is in the directory. With a `problem` nothing is kept, and an agent that had none must have left nothing. */
export async function openMaterials(directory: string, problem: string | null): Promise<MaterialStore> {
  const kept = join(directory, 'kept');
  const failed = new Map<string, { readonly text: string; readonly digest: string; readonly reason: string }>();
  const digests = problem === null ? await readDigests(kept) : new Map<string, string>();
  const pathOf = (name: string) => join(kept, `${name}${SUFFIX}`);
  const write = async (name: string, text: string, digest: string) => {
    // From the outermost in: what lies in a private directory is private.
    for (const path of [dirname(directory), directory, kept]) await makePrivate(path);
    await writeAtomically(pathOf(name), text, false);
    digests.set(name, digest);
    failed.delete(name);
  };
  const tryToWrite = async (name: string, text: string, digest: string) => {
    try {
      await write(name, text, digest);
    } catch (error) {
      failed.set(name, { text, digest, reason: errorMessage(error) });
    }
  };
  return {
    problem,
    digestOf: (name) => digests.get(name),
    read: (name) => readFile(pathOf(name), 'utf8'),
    async take(spec, texts) {
      if (problem !== null) return false;
      let fresh = false;
      for (const { name, digest } of materialsOf(spec)) {
        const text = digest === null ? undefined : texts[digest];
        if (digest === null || text === undefined || digests.get(name) === digest) continue;
        if (digestOf(text) !== digest) continue;
        await tryToWrite(name, text, digest);
        fresh = true;
      }
      return fresh;
    },
    failureOf: (name) => failed.get(name)?.reason,
    async retry() {
      for (const [name, { text, digest }] of [...failed]) await tryToWrite(name, text, digest);
    },
    lacking: (spec) =>
      problem !== null
        ? []
        : materialsOf(spec).flatMap(({ name, digest }) =>
            digest === null || digests.get(name) === digest ? [] : [digest],
          ),
    async keepOnly(specs) {
      const named = new Set(specs.flatMap(materialsOf).map(({ name }) => name));
      for (const name of [...failed.keys()].filter((it) => !named.has(it))) failed.delete(name);
      for (const name of [...digests.keys()].filter((it) => !named.has(it))) {
        digests.delete(name);
        await rm(pathOf(name), { force: true });
      }
    },
    async clear() {
      digests.clear();
      failed.clear();
      if (problem === null) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What cannot be read is not there: it will be sent again, and what needs none of it serves meanwhile. */
async function readDigests(kept: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const file of await readdir(kept).catch(() => [])) {
    const text = file.endsWith(SUFFIX) ? await readFile(join(kept, file), 'utf8').catch(() => null) : null;
    if (text !== null) digests.set(file.slice(0, -SUFFIX.length), digestOf(text));
  }
  return digests;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
