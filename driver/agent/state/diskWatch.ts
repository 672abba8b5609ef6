import { statfs } from 'node:fs/promises';

/** Per cent of the file system that are free: below the first it counts as full, above the second no more. */
const FULL = 5;
const FREE = 10;
/** Milliseconds between two looks. */
const INTERVAL = 2000;

/** What is told, with words for operators. */
export type DiskNotice = (name: 'ENGINE_DISK_FULL' | 'ENGINE_DISK_FREE', message: string) => void;

/** Looks after the room in a directory's file system, and tells when it runs out and when there is some again. */
export function watchDisk(directory: string, notice: DiskNotice): { stop(): void } {
  let full = false;
  const look = async () => {
    const { bavail, blocks, ffree, files } = await statfs(directory);
    // Some file systems do not count inodes.
    const left = Math.min(share(bavail, blocks), files === 0 ? 100 : share(ffree, files));
    const now = full ? left < FREE : left < FULL;
    if (now === full) return;
    full = now;
    const where = `the file system of ${directory} has ${left.toFixed(1)} % left`;
    if (full) notice('ENGINE_DISK_FULL', `${where}: what is served goes on, changes may be refused`);
    else notice('ENGINE_DISK_FREE', where);
  };
  // A look that fails is made again.
  const timer = setInterval(() => void look().catch(() => undefined), INTERVAL);
  void look().catch(() => undefined);
  return { stop: () => clearInterval(timer) };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole;
}
