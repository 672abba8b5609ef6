import { createHash } from 'node:crypto';
import { chmod, mkdir, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage } from '../systemError';

/** Where keys may be kept, and why none can be if so. */
export interface MaterialsHome {
  readonly directory: string;
  readonly problem: string | null;
}

/** Magic numbers of file systems that are in memory: tmpfs and ramfs (statfs(2)). */
const IN_MEMORY = [0x01021994, 0x858458f6];
const SHARED_MEMORY = '/dev/shm';

/**
 * Finds and makes the directory for keys: the one that is wanted, or `tls` in the run directory if that is in memory, or
 * else one below /dev/shm. It is on a tmpfs, belongs to this user and is open to nobody else, or `problem` says why not.
 */
export async function openMaterialsHome(config: {
  readonly materialsDir?: string;
  readonly runDir: string;
  readonly stateDir: string;
}): Promise<MaterialsHome> {
  const directory = config.materialsDir ?? (await defaultDirectory(config));
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return { directory, problem: await whyUnfit(directory) };
  } catch (error) {
    return { directory, problem: `${directory} cannot be used: ${errorMessage(error)}` };
  }
}

async function defaultDirectory({ runDir, stateDir }: { runDir: string; stateDir: string }): Promise<string> {
  if (await isInMemory(runDir)) return join(runDir, 'tls');
  // One for each agent of this host.
  return join(SHARED_MEMORY, `slipstream-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`);
}

async function whyUnfit(directory: string): Promise<string | null> {
  if (!(await isInMemory(directory))) {
    return `keys must not touch a disk, and ${directory} is not on a tmpfs`;
  }
  const { uid } = await stat(directory);
  if (uid !== process.getuid?.()) return `${directory} belongs to another user`;
  await chmod(directory, 0o700);
  return null;
}

/** Of what is not there yet, the nearest directory above it. */
async function isInMemory(path: string): Promise<boolean> {
  try {
    return IN_MEMORY.includes((await statfs(path)).type);
  } catch {
    return path !== dirname(path) && isInMemory(dirname(path));
  }
}

/** Takes the directory away if nothing is left in it. */
export async function closeMaterialsHome({ directory }: MaterialsHome): Promise<void> {
  await rmdir(directory).catch(() => undefined);
}
