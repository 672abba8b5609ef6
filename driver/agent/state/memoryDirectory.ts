import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where keys may be kept, and why none can be if so. */
export interface MaterialsHome {
  readonly directory: string;
  readonly problem: string | null;
}

/** Magic numbers of file systems that are in memory: tmpfs and ramfs (statfs(2)). */
const IN_MEMORY = [0x01021994, 0x858458f6];
const SHARED_MEMORY = '/dev/shm';

/**
 * Finds the directory for keys: the one that is wanted, or `tls` in the run directory if that is in memory, or else one
 * below /dev/shm. It is on a tmpfs, or `problem` says why not. It is made when there is a key to be kept.
 */
export async function openMaterialsHome(config: {
  readonly materialsDir?: string;
  readonly runDir: string;
  readonly stateDir: string;
}): Promise<MaterialsHome> {
  const directory = config.materialsDir ?? (await defaultDirectory(config));
  const problem = `keys must not touch a disk, and ${directory} is not on a tmpfs`;
  return { directory, problem: (await isInMemory(directory)) ? null : problem };
}

/**
 * Makes a directory that nobody else can look into.
 * @throws Error when it belongs to another user, and what the file system says
 */
export async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await stat(directory)).uid !== process.getuid?.()) throw new Error(`${directory} belongs to another user`);
  await chmod(directory, 0o700);
}

async function defaultDirectory({ runDir, stateDir }: { runDir: string; stateDir: string }): Promise<string> {
  if (await isInMemory(runDir)) return join(runDir, 'tls');
  // One for each agent of this host.
  return join(SHARED_MEMORY, `slipstream-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`);
}

/** Of what is not there yet, the nearest directory above it. */
async function isInMemory(path: string): Promise<boolean> {
  try {
    return IN_MEMORY.includes((await statfs(path)).type);
  } catch {
    return path !== dirname(path) && isInMemory(dirname(path));
  }
}

/** Removes what an agent left of load balancers that are not among these paths: it lost its state, but not its memory. */
export async function tidyMaterialsHome(
  { directory, problem }: MaterialsHome,
  kept: ReadonlySet<string>,
): Promise<void> {
  if (problem !== null) return;
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    if (!kept.has(path)) await rm(path, { recursive: true, force: true });
  }
}

/** Takes the directory away if nothing is left in it. */
export async function closeMaterialsHome({ directory }: MaterialsHome): Promise<void> {
  await rmdir(directory).catch(() => undefined);
}
