import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { materialsOf } from '../../protocol/materials';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { errorCode } from '../systemError';
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
  /**
   * Keeps those texts (by digest) that the spec names. True if any of them is new here.
   * @throws what the file system says (ENOSPC, ...)
   */
  take(spec: LoadBalancerSpec, texts: Readonly<Record<string, string>>): Promise<boolean>;
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
  const digests = problem === null ? await readDigests(kept) : new Map<string, string>();
  const pathOf = (name: string) => join(kept, `${name}${SUFFIX}`);
  const write = async (name: string, text: string, digest: string) => {
    // From the outermost in: what lies in a private directory is private.
    for (const path of [dirname(directory), directory, kept]) await makePrivate(path);
    await writeAtomically(pathOf(name), text, false);
    digests.set(name, digest);
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
        await write(name, text, digest);
        fresh = true;
      }
      return fresh;
    },
    lacking: (spec) =>
      problem !== null
        ? []
        : materialsOf(spec).flatMap(({ name, digest }) =>
            digest === null || digests.get(name) === digest ? [] : [digest],
          ),
    async keepOnly(specs) {
      const named = new Set(specs.flatMap(materialsOf).map(({ name }) => name));
      for (const name of [...digests.keys()].filter((it) => !named.has(it))) {
        digests.delete(name);
        await rm(pathOf(name), { force: true });
      }
    },
    async clear() {
      digests.clear();
      if (problem === null) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function readDigests(kept: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const file of await listFiles(kept)) {
    if (!file.endsWith(SUFFIX)) continue;
    digests.set(file.slice(0, -SUFFIX.length), digestOf(await readFile(join(kept, file), 'utf8')));
  }
  return digests;
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
