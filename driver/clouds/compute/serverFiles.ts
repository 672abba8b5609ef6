import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

/** What the agent is told, by a file of mode 0600 whose path is in its environment: secrets never stand in argv. */
export interface AgentFile {
  readonly engineId: string;
  readonly token: string;
  readonly controllers: readonly string[];
  /** Of the controllers' CA; absent where they speak in clear. */
  readonly caFingerprint?: string | undefined;
  /** Of this agent alone. */
  readonly stateDir: string;
  /** Of this agent alone; short, since Unix sockets live there. */
  readonly runDir: string;
  readonly haproxyPath?: string | undefined;
}

/** The environment variable with the path of the agent's file. */
export const AGENT_CONFIG_VARIABLE = 'SLIPSTREAM_AGENT_CONFIG';

const processIdentity = z.object({ pid: z.int(), startTime: z.string(), bootId: z.string() });
const serverRecord = z.object({
  engineId: z.string(),
  name: z.string(),
  /** The last process started for it, and of what content its file was then. */
  process: processIdentity.optional(),
  digest: z.string().optional(),
});
export type ServerRecord = z.infer<typeof serverRecord>;

/** The files of one server, below the state directory. */
export interface ServerFiles {
  readonly configPath: string;
  readonly logPath: string;
  readRecord(): ServerRecord | undefined;
  writeRecord(record: ServerRecord): void;
  readConfig(): AgentFile | undefined;
  writeConfig(change: Pick<AgentFile, 'token' | 'controllers' | 'caFingerprint'>): void;
  /** Changes whenever what the agent is told does. */
  digestConfig(): string;
  /** Keeps the log below twice this size: beyond it the log moves to a second file, replacing the one before. */
  boundLog(maxBytes: number): void;
  removeAll(): void;
}

export interface ServerPlace {
  readonly stateDir: string;
  readonly runDir: string;
  readonly engineId: string;
  readonly haproxyPath?: string | undefined;
}

const agentFile = z.object({
  engineId: z.string(),
  token: z.string(),
  controllers: z.array(z.string()),
  caFingerprint: z.string().optional(),
  stateDir: z.string(),
  runDir: z.string(),
  haproxyPath: z.string().optional(),
});

/** @throws Error for an engine id that is no plain name */
export function openServerFiles({ stateDir, runDir, engineId, haproxyPath }: ServerPlace): ServerFiles {
  if (!/^[\w-]+$/.test(engineId)) throw new Error(`not an engine id: ${engineId}`);
  const directory = resolve(stateDir, engineId);
  const runDirectory = resolve(runDir, createHash('sha256').update(engineId).digest('hex').slice(0, 8));
  const [recordPath, configPath, logPath] = ['server.json', 'agent.json', 'agent.log'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const agentStateDir = join(directory, 'state');
  for (const path of [directory, agentStateDir, runDirectory]) mkdirSync(path, { recursive: true, mode: 0o700 });

  return {
    configPath,
    logPath,
    readRecord: () => readJson(recordPath, serverRecord),
    writeRecord: (record) => writeSecret(recordPath, record),
    readConfig: () => readJson(configPath, agentFile),
    writeConfig: ({ token, controllers, caFingerprint }) =>
      writeSecret(configPath, {
        engineId,
        token,
        controllers,
        caFingerprint,
        stateDir: agentStateDir,
        runDir: runDirectory,
        haproxyPath,
      }),
    digestConfig: () => createHash('sha256').update(readFileSync(configPath)).digest('hex'),
    boundLog: (maxBytes) => boundLog(logPath, maxBytes),
    removeAll() {
      rmSync(directory, { recursive: true, force: true });
      rmSync(runDirectory, { recursive: true, force: true });
    },
  };
}

/** Engine ids of all servers below the state directory. */
export function listServerDirectories(stateDir: string): readonly string[] {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  return readdirSync(stateDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** A file that is missing or half written counts as not there: what it held is written anew. */
function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the file as a whole, readable by its owner alone. */
function writeSecret(path: string, content: unknown): void {
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify(content), { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, path);
}

/** The agent holds the log open for appending, so it is copied and cut, not moved. */
function boundLog(path: string, maxBytes: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}
