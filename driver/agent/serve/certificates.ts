import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Layout } from '../haproxy/layout';
import { abortCommand, planTlsChange, type TlsStep, tlsCommands } from '../haproxy/tlsChange';
import { poolFile, type TlsFile, tlsFiles } from '../haproxy/tlsFiles';
import type { RuntimeSocket } from '../process/runtimeSocket';
import { writeAtomically } from '../state/files';
import type { Unit } from './unit';

/**
 * The files of certificates that a worker was started with or has been given since: each worker has a directory of its
 * own, so that a reload which fails has changed nothing.
 */

/** Bytes of a text that the runtime socket takes: it reads a command into one buffer of 16 KiB. */
const LONGEST_PAYLOAD = 15_000;

/** Writes what the layout needs for the worker with this sequence, and takes away what it does not need. */
export async function placeCertificates(unit: Unit, layout: Layout, sequence: number): Promise<void> {
  const directory = unit.paths.tlsDirectory(sequence);
  const files = tlsFiles(layout);
  if (files.length === 0) return;
  for (const { path, material } of files) {
    const target = join(directory, path);
    const text = await unit.materials.read(material.name);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if ((await readOrNull(target)) !== text) await writeAtomically(target, text, false);
  }
  await removeOthers(directory, new Set(files.map(({ path }) => path)));
}

/** haproxy takes every file in a directory for a certificate. */
async function removeOthers(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path.slice(directory.length + 1))) await rm(path, { force: true });
  }
}

/** Removes the files of all workers but that of the sequence: whoever has read them needs them no more. */
export async function dropCertificates(unit: Unit, except: number | null): Promise<void> {
  const kept = except === null ? null : unit.paths.tlsDirectory(except);
  const entries = await readdir(unit.paths.materials).catch(() => []);
  for (const entry of entries.filter((name) => name.startsWith('w'))) {
    const path = join(unit.paths.materials, entry);
    if (path !== kept) await rm(path, { recursive: true, force: true });
  }
}

/** True if the files of the worker are those of the layout: then it serves them, since they are written last. */
export async function hasCertificates(unit: Unit, layout: Layout, sequence: number): Promise<boolean> {
  const directory = unit.paths.tlsDirectory(sequence);
  for (const { path, material } of tlsFiles(layout)) {
    const text = await readOrNull(join(directory, path));
    if (text === null || createHash('sha256').update(text).digest('hex') !== material.digest) return false;
  }
  return true;
}

/**
 * Gives a running worker the certificates of another layout of the same structure; open connections go on with what they
 * have. False if the worker refused a command: then only a reload helps.
 */
export async function changeCertificates(
  unit: Unit,
  worker: { readonly runtime: RuntimeSocket; readonly sequence: number },
  { from, to }: { readonly from: Layout; readonly to: Layout },
): Promise<boolean> {
  const steps = planTlsChange(from, to);
  const directory = unit.paths.tlsDirectory(worker.sequence);
  if (steps.some((step) => !isTaken(step, to))) return false;
  for (const step of steps) {
    if (await makeStep(unit, worker.runtime, step, directory)) continue;
    await worker.runtime.run([abortCommand(step, directory)]);
    return false;
  }
  if (steps.length > 0) await placeCertificates(unit, to, worker.sequence);
  return true;
}

/** haproxy 2.6 hands other authorities to servers that show a certificate, and leaves those without as they are. */
function isTaken({ kind, file }: TlsStep, layout: Layout): boolean {
  if (kind !== 'replace' || file.kind === 'certificate') return true;
  const place = file.kind;
  const backend = layout.backends.find(({ pool }) => file.path === poolFile(pool.id, place));
  return backend === undefined || backend.pool.tls?.certificate !== null;
}

async function makeStep(unit: Unit, runtime: RuntimeSocket, step: TlsStep, directory: string): Promise<boolean> {
  const text = step.kind === 'remove' ? '' : await payloadOf(unit, step.file);
  if (text === null) return false;
  const commands = tlsCommands(step, directory, text);
  const answers = await runtime.run(
    commands.map(({ text: command, payload }) => (payload === null ? command : `${command} <<\n${payload}\n`)),
  );
  const refused = commands.findIndex(({ expect }, index) => !expect.test(withoutPrompts(answers[index] ?? '')));
  const failed = commands[refused];
  if (failed === undefined) return true;
  const answer = withoutPrompts(answers[refused] ?? '');
  unit.deps.log.warn({ loadBalancer: unit.id, command: failed.text, answer }, 'haproxy refused a runtime command');
  return false;
}

/** A blank line would end a payload; null if it is longer than the socket takes. */
async function payloadOf(unit: Unit, { material }: TlsFile): Promise<string | null> {
  const text = await unit.materials.read(material.name);
  const payload = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .join('\n');
  return payload.length <= LONGEST_PAYLOAD ? payload : null;
}

/** haproxy asks for each line of a payload by `+ `. */
function withoutPrompts(answer: string): string {
  return answer.replace(/^(?:\+ ?)+/, '');
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
